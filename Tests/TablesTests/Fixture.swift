import StrakeLMDB
import StrakeModel
import StrakeTables
import StrakeTemporaryDirectory

/// The store's tables in a directory of their own, and ways to reach under them.
struct Fixture {
    let directory = TemporaryDirectory()
    let tables: StoreTables

    init() throws {
        tables = try StoreTables(directory: directory.path)
    }

    var environment: Environment { tables.environment }

    /// All rows of a table, as LMDB has them.
    func rows(of name: String) throws(LMDBError) -> [(key: [UInt8], value: [UInt8])] {
        try environment.read { txn throws(LMDBError) in
            var cursor = try txn.cursor(in: environment.table(name))
            var rows: [(key: [UInt8], value: [UInt8])] = []
            while try cursor.next() { rows.append(([UInt8](cursor.key), [UInt8](cursor.value))) }
            return rows
        }
    }

    /// Writes a row behind the tables' back; nil removes it.
    func overwrite(_ name: String, _ key: [UInt8], _ value: [UInt8]?) throws(LMDBError) {
        let table = environment.table(name)
        try environment.write { txn throws(LMDBError) in
            try key.withRawBytes { key throws(LMDBError) -> Void in
                guard let value else {
                    _ = try txn.delete(key, in: table)
                    return
                }
                try value.withRawBytes { value throws(LMDBError) -> Void in try txn.put(key, value, in: table) }
            }
        }
    }

    func statistics(of name: String) throws(LMDBError) -> TableStatistics {
        try environment.read { txn throws(LMDBError) in try txn.statistics(of: environment.table(name)) }
    }
}

extension [UInt8] {
    func withRawBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }

    func sharedPrefixCount(with other: [UInt8]) -> Int {
        zip(self, other).prefix { $0 == $1 }.count
    }
}

extension Result where Failure == TableError {
    /// What a corrupt record was found to be, or nil.
    var corruption: TableError.Corruption? {
        if case .failure(.corruptRecord(_, _, let reason)) = self { return reason }
        return nil
    }
}

extension CurrentTable.Writer {
    @_lifetime(self: copy self)
    mutating func put(_ key: [UInt8], _ entry: CurrentEntry) throws(TableError) {
        try key.withRawBytes { key throws(TableError) -> Void in try put(key, entry) }
    }

    @_lifetime(self: copy self)
    mutating func delete(_ key: [UInt8]) throws(TableError) -> Bool {
        try key.withRawBytes { key throws(TableError) in try delete(key) }
    }
}

extension CurrentTable.Cursor {
    @_lifetime(self: copy self)
    mutating func seek(atOrAfter key: [UInt8]) throws(TableError) -> Bool {
        try key.withRawBytes { key throws(TableError) in try seek(atOrAfter: key) }
    }
}

extension CurrentTable {
    func entry<T: Transaction & ~Copyable>(
        for key: [UInt8], in txn: borrowing T
    ) throws(TableError) -> CurrentEntry? {
        try key.withRawBytes { key throws(TableError) in try entry(for: key, in: txn) }
    }
}
