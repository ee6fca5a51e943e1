internal import Glibc
internal import StrakeLog
internal import StrakeSeededGenerator
internal import StrakeTemporaryDirectory
internal import Testing

/// What is appended past the page cache, among other calls.
struct DirectWriteTests {
    private static let size = 1 << 20
    #if arch(arm64)
        private static let direct: Int32 = 0o200_000
    #else
        private static let direct: Int32 = 0o40_000
    #endif

    private let directory = TemporaryDirectory()
    private let disk = FileDisk()
    private var path: String { directory.path + "/file" }

    private func makeFile() throws -> any DiskFile {
        let file = try disk.open(path, .new)
        let zeros = [UInt8](repeating: 0, count: Self.size)
        try zeros.withUnsafeBytes { try file.write($0, at: 0) }
        return file
    }

    private func contents(_ file: any DiskFile) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: try file.size())
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        #expect(count == bytes.count)
        return bytes
    }

    /// Descriptors of this process that write to the file past the page cache.
    private var directDescriptors: Int {
        get throws {
            try disk.list("/proc/self/fd").compactMap { Int32($0) }.filter { descriptor in
                var (mine, its) = (stat(), stat())
                return fstat(descriptor, &its) == 0 && stat(path, &mine) == 0 && mine.st_ino == its.st_ino
                    && mine.st_dev == its.st_dev && fcntl(descriptor, F_GETFL) & Self.direct != 0
            }.count
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `a file holds what was written last, whichever way it went`(seed: UInt64) throws {
        print("seed \(seed), directory \(directory.path)")
        var random = SeededGenerator(seed: seed)
        let file = try makeFile()
        var expected = [UInt8](repeating: 0, count: Self.size)
        var end = 0
        func piece(_ lengths: ClosedRange<Int>) -> [UInt8] {
            (0..<Int.random(in: lengths, using: &random)).map { _ in .random(in: .min ... .max, using: &random) }
        }
        while end < Self.size {
            let kind = Int.random(in: 0..<40, using: &random)
            // The last piece goes beyond the end of the file.
            let appended = piece(kind == 0 ? 1...40_000 : 1...600)
            try appended.withUnsafeBytes { try file.append($0, at: end) }
            if end + appended.count > expected.count {
                expected += [UInt8](repeating: 0, count: end + appended.count - expected.count)
            }
            expected.replaceSubrange(end..<end + appended.count, with: appended)
            end += appended.count
            switch kind {
            case 1: try file.sync()
            case 2: try file.finishAppending()
            case 3, 4:
                let offset = Int.random(in: 0..<end, using: &random)
                let written = piece(1...600).prefix(end - offset)
                try Array(written).withUnsafeBytes { try file.write($0, at: offset) }
                expected.replaceSubrange(offset..<offset + written.count, with: written)
            case 5, 6:
                let range = max(0, end - 10_000)..<end
                var read = [UInt8](repeating: 0, count: range.count)
                let count = try read.withUnsafeMutableBytes { try file.read(into: $0, at: range.lowerBound) }
                #expect(count == range.count && read == Array(expected[range]), "at \(range)")
            default: break
            }
        }
        try file.sync()
        #expect(try contents(file) == expected)
        #expect(try contents(try disk.open(path, .existing)) == expected)
    }

    @Test func `what is appended goes past the page cache where that can be`() throws {
        let file = try makeFile()
        let isPossible = { () -> Bool in
            let descriptor = open(path, O_RDWR | Self.direct)
            defer { close(descriptor) }
            return descriptor >= 0
        }()
        #expect(try directDescriptors == 0)
        try ([1, 2, 3] as [UInt8]).withUnsafeBytes { try file.append($0, at: 5_000) }
        #expect(try directDescriptors == (isPossible ? 1 : 0))
        try file.finishAppending()
        #expect(try directDescriptors == 0)
        #expect(try contents(try disk.open(path, .existing))[5_000...5_003] == [1, 2, 3, 0])
        try file.truncate(to: 10_000)
        try ([4] as [UInt8]).withUnsafeBytes { try file.append($0, at: 9_999) }
        try file.sync()
        let bytes = try contents(file)
        #expect(bytes.count == 10_000)
        #expect(bytes[9_999] == 4)
    }

    @Test func `pieces gather until the sync, and then lie in the file`() throws {
        let file = try makeFile()
        let other = try disk.open(path, .existing)
        for offset in 0..<100 {
            try ([UInt8(offset) + 1]).withUnsafeBytes { try file.append($0, at: offset) }
        }
        try file.sync()
        #expect(try contents(other).prefix(101) == (1...100) + [0])
        #expect(try file.size() == Self.size)
    }
}
