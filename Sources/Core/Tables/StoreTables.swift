package import StrakeLMDB

/// The store's tables in one environment.
package final class StoreTables: Sendable {
    package let environment: Environment
    package let history: HistoryTable
    package let current: CurrentTable
    package let leaseKeys: LeaseKeyTable
    package let state: StateTable

    /// Of the tables and the records in them. A change that an older version would misread takes the next number.
    /// Format 2 has users and roles, which a version that does not know of them must not pass over.
    package static let formatVersion: UInt32 = 2
    /// Is read, and is of the newer format from then on.
    private static let formatVersionBefore: UInt32 = 1

    /// The record in `state` that names the format: "strake" and the version, u32 little-endian.
    private static let formatKey = [UInt8]("format".utf8)
    private static let formatMark = [UInt8]("strake".utf8)

    private static let tableNames = ["history", "current", "leaseKeys", "state"]

    /// Opens the tables in `directory`, which must exist, and creates them when nothing is there yet.
    ///
    /// - Throws: `TableError.unsupportedFormat` or `.newerFormat` when the directory holds something else; it is left as
    ///   it was.
    package init(
        directory: String, mapBytes: Int = Environment.mapBytesDefault, durability: Environment.Durability = .full
    ) throws(TableError) {
        environment = try Environment(
            directory: directory, tables: Self.tableNames, mapBytes: mapBytes, durability: durability
        ) { (txn: borrowing WriteTransaction, tables: [Table]) throws(TableError) in
            try Self.checkFormat(in: txn, tables)
        }
        history = HistoryTable(table: environment.table("history"))
        current = CurrentTable(table: environment.table("current"))
        leaseKeys = LeaseKeyTable(table: environment.table("leaseKeys"))
        state = StateTable(environment.table("state"))
    }

    private static func checkFormat(in txn: borrowing WriteTransaction, _ tables: [Table]) throws(TableError) {
        let state = StateTable(tables[3])
        guard let found = try state.get(formatKey, in: txn) else {
            // Only a file with nothing in it but the tables just made is ours to begin.
            var entries = -tables.count
            do {
                for table in tables + [.names] { entries += try txn.statistics(of: table).entries }
            } catch { throw .lmdb(error) }
            guard entries == 0 else { throw .unsupportedFormat(found: []) }
            return try state.put(formatKey, formatMark + version(formatVersion), in: txn)
        }
        guard found.count == formatMark.count + 4, found.starts(with: formatMark) else {
            throw .unsupportedFormat(found: found)
        }
        let version = found.withUnsafeBytes { bytes in
            var field = FieldReader(bytes, at: formatMark.count)
            return field.read(UInt32.self)
        }
        guard version <= formatVersion else { throw .newerFormat(found: version, supported: formatVersion) }
        if version == formatVersion { return }
        guard version == formatVersionBefore else { throw .unsupportedFormat(found: found) }
        try state.put(formatKey, formatMark + Self.version(formatVersion), in: txn)
    }

    private static func version(_ version: UInt32) -> [UInt8] {
        withUnsafeBytes(of: version.littleEndian) { [UInt8]($0) }
    }
}
