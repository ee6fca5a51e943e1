internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

/// The records of the last finished checkpoint: `mvcc/checkpoint`, five u64 little-endian, and `mvcc/keys`, two.
struct CheckpointRecord: Equatable, Sendable {
    var appliedIndex: UInt64 = 0
    var appliedTerm: UInt64 = 0
    var revision: Int64 = 1
    var compactRevision: Int64 = 0
    /// Of all events ever applied, as `RevisionStore.digest`.
    var digest: UInt64 = 0
    /// Keys that live at the revision. Nil in a file whose last checkpoint is from before they were counted.
    var keyCount: Int? = 0

    private static let key = [UInt8]("mvcc/checkpoint".utf8)
    /// A record of its own, with the revision that it is of: a version that does not know it leaves it as it was.
    private static let keyCountKey = [UInt8]("mvcc/keys".utf8)

    /// Of an empty store when there was none yet.
    static func read<T: Transaction & ~Copyable>(
        _ tables: StoreTables, in txn: borrowing T
    ) throws(TableError) -> CheckpointRecord {
        guard let fields = try StoreRecord.fields(key, count: 5, tables, in: txn) else { return CheckpointRecord() }
        let counted = try StoreRecord.fields(keyCountKey, count: 2, tables, in: txn)
        return CheckpointRecord(
            appliedIndex: fields[0], appliedTerm: fields[1], revision: Int64(bitPattern: fields[2]),
            compactRevision: Int64(bitPattern: fields[3]), digest: fields[4],
            keyCount: counted.flatMap { $0[0] == fields[2] ? Int(clamping: $0[1]) : nil })
    }

    func write(_ tables: StoreTables, in txn: borrowing WriteTransaction) throws(TableError) {
        let fields = [
            appliedIndex, appliedTerm, UInt64(bitPattern: revision), UInt64(bitPattern: compactRevision), digest,
        ]
        try tables.state.put(Self.key, StoreRecord.encode(fields), in: txn)
        guard let keyCount else { preconditionFailure("a checkpoint of keys that nobody has counted") }
        let counted = [UInt64(bitPattern: revision), UInt64(keyCount)]
        try tables.state.put(Self.keyCountKey, StoreRecord.encode(counted), in: txn)
    }
}

/// How far physical compaction has come: `mvcc/compaction`, five u64 little-endian.
struct CompactionRecord: Equatable, Sendable {
    /// History is compacted to this main revision.
    var finished: Int64 = 0
    /// The one it is being compacted to. At rest the same.
    var target: Int64 = 0
    /// The first event not visited on the way.
    var next = Revision.zero
    /// The sum of the digests of the events that are in history no more. What is there up to the checkpoint's revision has
    /// the difference of the checkpoint's digest and this one.
    var removedDigest: UInt64 = 0

    private static let key = [UInt8]("mvcc/compaction".utf8)

    static func read<T: Transaction & ~Copyable>(
        _ tables: StoreTables, in txn: borrowing T
    ) throws(TableError) -> CompactionRecord {
        guard let fields = try StoreRecord.fields(key, count: 5, tables, in: txn) else { return CompactionRecord() }
        return CompactionRecord(
            finished: Int64(bitPattern: fields[0]), target: Int64(bitPattern: fields[1]),
            next: Revision(main: Int64(bitPattern: fields[2]), sub: Int32(truncatingIfNeeded: fields[3])),
            removedDigest: fields[4])
    }

    func write(_ tables: StoreTables, in txn: borrowing WriteTransaction) throws(TableError) {
        let fields = [
            UInt64(bitPattern: finished), UInt64(bitPattern: target), UInt64(bitPattern: next.main),
            UInt64(next.sub), removedDigest,
        ]
        try tables.state.put(Self.key, StoreRecord.encode(fields), in: txn)
    }
}

/// Records of a fixed number of u64 fields.
private enum StoreRecord {
    static func fields<T: Transaction & ~Copyable>(
        _ key: [UInt8], count: Int, _ tables: StoreTables, in txn: borrowing T
    ) throws(TableError) -> [UInt64]? {
        guard let bytes = try tables.state.get(key, in: txn) else { return nil }
        guard bytes.count == 8 * count else {
            throw .corruptRecord(table: "state", key: key, reason: .badLength)
        }
        return bytes.withUnsafeBytes { bytes in
            (0..<count).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)) }
        }
    }

    static func encode(_ fields: [UInt64]) -> [UInt8] {
        fields.flatMap { field in withUnsafeBytes(of: field.littleEndian) { [UInt8]($0) } }
    }
}
