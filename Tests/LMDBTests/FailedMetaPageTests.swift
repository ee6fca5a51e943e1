import Glibc
import StrakeLMDB
import StrakePowerCut
import StrakeSeededGenerator
import StrakeTemporaryDirectory
import Testing

/// The sync of a meta page failed, and that page is on disk all the same. liblmdb has taken it back, as far as the process
/// sees, by a write that is not synced, and the process has ended.
struct FailedMetaPageTests {
    private static let rowCount = 500
    private static let metaPages = [0, 4_096]

    private func open(_ directory: TemporaryDirectory) throws(LMDBError) -> Environment {
        try Environment(directory: directory.path, tables: ["one"], mapBytes: 1 << 30)
    }

    /// One commit after which all rows have this value.
    private func fill(_ environment: Environment, with value: UInt8) throws(LMDBError) {
        try environment.write { txn throws(LMDBError) in
            for number in 0..<Self.rowCount {
                try [UInt8]("key \(number)".utf8).withRawBytes { key throws(LMDBError) in
                    try [UInt8](repeating: value, count: 100).withRawBytes { value throws(LMDBError) in
                        try txn.put(key, value, in: environment.table("one"))
                    }
                }
            }
        }
    }

    /// The value that all rows have; 0 when they have several or cannot be read.
    private func onlyValue(in directory: TemporaryDirectory) -> UInt8 {
        let values = try? open(directory).values(limit: Self.rowCount + 1)
        guard let values, values.count == Self.rowCount, Set(values).count == 1 else { return 0 }
        return values[0]
    }

    private func withFile<R>(of directory: TemporaryDirectory, _ body: (Int32) -> R) -> R {
        let descriptor = Glibc.open(directory.path + "/data.mdb", O_RDWR)
        precondition(descriptor >= 0, "errno \(errno)")
        defer { close(descriptor) }
        return body(descriptor)
    }

    private func metaPages(of directory: TemporaryDirectory) -> [[UInt8]] {
        withFile(of: directory) { descriptor in
            Self.metaPages.map { offset in
                var page = [UInt8](repeating: 0, count: 512)
                #expect(pread(descriptor, &page, page.count, off_t(offset)) == page.count)
                return page
            }
        }
    }

    private func takeBack(_ pages: [[UInt8]], in directory: TemporaryDirectory) {
        withFile(of: directory) { descriptor in
            for (page, offset) in zip(pages, Self.metaPages) {
                #expect(pwrite(descriptor, page, page.count, off_t(offset)) == page.count)
            }
        }
    }

    @Test func `a power cut during the next commit leaves one of the trees whole`() throws {
        var outcomes: [UInt8: Int] = [:]
        var random = SeededGenerator(seed: 1)
        for round in 0..<100 {
            let directory = TemporaryDirectory(in: .memory)
            var older: [[UInt8]] = []
            do {
                let environment = try open(directory)
                try fill(environment, with: 1)
                older = metaPages(of: directory)
                try fill(environment, with: 2)
            }
            let recording = PowerCut(directory: directory.path)
            defer { recording.stop() }
            takeBack(older, in: directory)
            let start = recording.position
            #expect(start == 2)
            try fill(try open(directory), with: 3)
            // Among the first calls, among the last, or anywhere.
            let end = recording.position
            let position = [
                start + random.below(5), end - random.below(5), start + random.below(end - start + 1),
            ][round % 3]
            let target = TemporaryDirectory(in: .memory)
            recording.cut(at: position, seed: random.next(), into: target.path)
            let ending = ChildProcess.run { Int32(onlyValue(in: target)) }
            guard case .returned(let value) = ending, value > 0 else {
                Issue.record("round \(round): \(ending)")
                continue
            }
            outcomes[UInt8(value), default: 0] += 1
        }
        // Each of the three is met: the disk's, the process's and the new one.
        #expect(Set(outcomes.keys) == [1, 2, 3], "\(outcomes)")
    }
}

extension Environment {
    /// The first byte of each row, up to a bound: damage can make a ring of the tree.
    fileprivate func values(limit: Int) throws(LMDBError) -> [UInt8] {
        try read { txn throws(LMDBError) in
            var values: [UInt8] = []
            var cursor = try txn.cursor(in: table("one"))
            while values.count < limit, try cursor.next() { values.append(cursor.value[0]) }
            return values
        }
    }
}
