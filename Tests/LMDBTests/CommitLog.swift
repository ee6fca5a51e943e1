import StrakeLMDB
import StrakePowerCut
import StrakeSeededGenerator

/// Random commits to an environment, remembered, so that what a disk holds can be told from what it should.
final class CommitLog {
    enum Verdict: Int32 {
        case intact
        /// A commit that had returned is not there.
        case lost
        /// The rows are not those that any commit left.
        case wrong
        /// liblmdb reports an error.
        case unreadable
    }

    private(set) var commits: [[(key: [UInt8], value: [UInt8]?)]] = []
    /// For each commit the recording's position when it had returned.
    private var returned: [Int] = []
    private var random: SeededGenerator

    /// The row that says how many commits there were.
    private static let countKey = [UInt8]("count".utf8)

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    func commit(to environment: Environment, recording: PowerCut) throws(LMDBError) {
        var changes: [(key: [UInt8], value: [UInt8]?)] = []
        for _ in 0...random.next() % 30 {
            let key = [UInt8]("key \(random.next() % 300)".utf8)
            let isDelete = random.next() % 4 == 0
            changes.append((key, isDelete ? nil : random.bytes(count: Int(random.next() % 1_900))))
        }
        commits.append(changes)
        changes.append((Self.countKey, [UInt8]("\(commits.count)".utf8)))
        try environment.write { txn throws(LMDBError) in
            let table = environment.table("one")
            for (key, value) in changes {
                try key.withRawBytes { key throws(LMDBError) -> Void in
                    guard let value else {
                        _ = try txn.delete(key, in: table)
                        return
                    }
                    try value.withRawBytes { value throws(LMDBError) -> Void in
                        try txn.put(key, value, in: table)
                    }
                }
            }
        }
        returned.append(recording.position)
    }

    /// Compares all rows in `directory` with what the commits made, the last of which is one that had returned at
    /// `position` or a later one.
    func verdict(on directory: String, at position: Int) -> Verdict {
        do throws(LMDBError) {
            let environment = try Environment(directory: directory, tables: ["one"])
            let rows = try environment.read { txn throws(LMDBError) -> [[UInt8]: [UInt8]] in
                var rows: [[UInt8]: [UInt8]] = [:]
                var cursor = try txn.cursor(in: environment.table("one"))
                while try cursor.next() { rows[[UInt8](cursor.key)] = [UInt8](cursor.value) }
                return rows
            }
            let count = Int(String(decoding: rows[Self.countKey] ?? [], as: UTF8.self)) ?? 0
            if count < returned.count(where: { $0 <= position }) { return .lost }
            return rows == model(after: count) ? .intact : .wrong
        } catch {
            return .unreadable
        }
    }

    private func model(after count: Int) -> [[UInt8]: [UInt8]] {
        var model: [[UInt8]: [UInt8]] = count == 0 ? [:] : [Self.countKey: [UInt8]("\(count)".utf8)]
        for changes in commits.prefix(count) {
            for (key, value) in changes { model[key] = value }
        }
        return model
    }
}

extension [UInt8] {
    func withRawBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
