internal import StrakeChecksum
internal import StrakeEtcdWire

/// Why an etcd's log cannot be read, or does not go with its database.
package enum EtcdLogError: Error, Hashable, Sendable, CustomStringConvertible {
    case damaged(segment: Int, offset: Int, String)
    /// The log and the database leave entries out between them.
    case gap(after: UInt64, next: UInt64)
    /// The database is older than a snapshot that the log begins anew with.
    case behindSnapshot(database: UInt64, snapshot: UInt64)

    package var description: String {
        switch self {
        case .damaged(let segment, let offset, let what): "its file number \(segment + 1), at byte \(offset): \(what)"
        case .gap(let after, let next): "entry \(next) follows entry \(after): those between are missing"
        case .behindSnapshot(let database, let snapshot):
            "the database ends at entry \(database), before the snapshot at \(snapshot) that the log goes on from"
        }
    }
}

/// Finds in an etcd's write-ahead log the entries that its database does not have yet.
///
/// The log is a row of files. A file is a row of frames: 8 bytes, little-endian, whose lower 56 bits are the record's
/// size and whose upper byte has the padding, then the record and the padding; a size of zero is the end. Each record has
/// the CRC-32C of the data of all records so far, and each file begins with that of the files before it. An entry of an
/// index that was there before supersedes it and all behind it.
package struct EtcdLog {
    /// Where an entry's data lies.
    package struct Item: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            case request
            /// Of the members: `raftpb.ConfChange`.
            case memberChange
            /// No etcd makes one.
            case other
        }

        package let index: UInt64
        package let kind: Kind
        package let segment: Int
        package let range: Range<Int>
    }

    private enum Kind {
        static let metadata: Int64 = 1
        static let entry: Int64 = 2
        static let state: Int64 = 3
        static let checksum: Int64 = 4
        static let snapshot: Int64 = 5
    }

    private static let frameBytes = 8
    /// What a disk writes at once: a record that the end of the process cut short has one of zeros.
    private static let sectorBytes = 512

    /// The last entry that the database has.
    private let applied: UInt64
    /// Ascending without a gap, from the one behind `applied`.
    package private(set) var items: [Item] = []
    /// The highest index that the log calls committed.
    package private(set) var committed: UInt64 = 0
    /// The highest that the log speaks of.
    package private(set) var term: UInt64 = 0
    /// Whose log it is; zero while that is not known.
    package private(set) var member: UInt64 = 0
    package private(set) var cluster: UInt64 = 0
    private var last: UInt64?
    private var snapshot: UInt64 = 0
    private var checksum: CRC32C?
    private var segments = 0

    package init(after applied: UInt64) {
        self.applied = applied
    }

    /// Reads the next file.
    ///
    /// - Parameter isLast: Its end may have been cut short.
    package mutating func add(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(EtcdLogError) {
        var offset = 0
        while bytes.count - offset >= Self.frameBytes {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            if word == 0 { break }
            let size = Int(word & ((1 << 56) - 1))
            // The highest bit says that there is padding.
            let padding = word >> 63 == 1 ? Int(word >> 56 & 7) : 0
            let start = offset + Self.frameBytes
            guard size <= bytes.count - start, padding <= bytes.count - start - size else {
                if isLast { break }
                throw .damaged(segment: segments, offset: offset, "a record of \(size) bytes reaches beyond the file")
            }
            let record = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)])
            do throws(EtcdLogError) {
                try take(record, at: start, in: bytes)
            } catch {
                if isLast, Self.isCut(bytes, from: start, count: size) { break }
                throw error
            }
            offset = start + size + padding
        }
        segments += 1
    }

    /// Once all files were read: there is no gap. All that the log has is to be applied then, as if the member had been
    /// elected at its next start. What was acknowledged may not be marked as committed yet when a member is killed.
    package func check() throws(EtcdLogError) {
        if snapshot > applied { throw .behindSnapshot(database: applied, snapshot: snapshot) }
        if let first = items.first, first.index != applied + 1 { throw .gap(after: applied, next: first.index) }
    }

    /// How many items, at the end, the log does not call committed.
    package var unmarkedCount: Int { items.count { $0.index > committed } }

    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, at start: Int, in file: UnsafeRawBufferPointer
    ) throws(EtcdLogError) {
        do {
            let record = try WALRecord(protobuf: bytes)
            guard record.kind != Kind.checksum else { return try resume(at: record.checksum, start) }
            var sum = checksum ?? CRC32C()
            sum.add(record.data)
            guard sum.value == record.checksum else {
                throw EtcdLogError.damaged(segment: segments, offset: start, "a record does not have its checksum")
            }
            checksum = sum
            try read(record, at: start, in: file)
        } catch let error as EtcdLogError {
            throw error
        } catch {
            throw .damaged(segment: segments, offset: start, "a record cannot be read")
        }
    }

    private mutating func read(_ record: WALRecord, at start: Int, in file: UnsafeRawBufferPointer) throws {
        switch record.kind {
        case Kind.metadata:
            let metadata = try WALMetadata(protobuf: record.data)
            (member, cluster) = (metadata.member, metadata.cluster)
        case Kind.entry:
            let entry = try WALEntry(protobuf: record.data)
            try check(entry.index, entry.term, at: start)
            try take(entry, in: file, start)
        case Kind.state:
            let state = try WALState(protobuf: record.data)
            try check(state.committed, state.term, at: start)
            (term, committed) = (max(term, state.term), max(committed, state.committed))
        case Kind.snapshot:
            let index = try WALSnapshot(protobuf: record.data).index
            try check(index, 0, at: start)
            begin(at: index)
        default:
            throw EtcdLogError.damaged(
                segment: segments, offset: start, "a record of kind \(record.kind), which is not known")
        }
    }

    private func check(_ index: UInt64, _ term: UInt64, at start: Int) throws(EtcdLogError) {
        guard max(index, term) < BackendContents.indexMax else {
            throw .damaged(segment: segments, offset: start, "a record of index \(index) and term \(term)")
        }
    }

    private mutating func resume(at value: UInt32, _ start: Int) throws(EtcdLogError) {
        // The first file that is left may be any: what was before it is not there to be compared.
        guard checksum.map({ $0.value == value || $0.value == 0 }) ?? true else {
            throw .damaged(segment: segments, offset: start, "the file does not go on from the one before it")
        }
        checksum = CRC32C(resuming: value)
    }

    private mutating func take(
        _ entry: WALEntry, in file: UnsafeRawBufferPointer, _ start: Int
    ) throws(EtcdLogError) {
        if let last, entry.index > last + 1 { throw .gap(after: last, next: entry.index) }
        while let newest = items.last, newest.index >= entry.index { items.removeLast() }
        last = entry.index
        term = max(term, entry.term)
        guard entry.index > applied else { return }
        let place = entry.data.baseAddress.map { file.baseAddress!.distance(to: $0) } ?? start
        items.append(
            Item(
                index: entry.index, kind: Item.Kind(entry.kind), segment: segments,
                range: place..<(place + entry.data.count)))
    }

    /// The log goes on from a snapshot of another member's, unless it was one of its own.
    private mutating func begin(at index: UInt64) {
        snapshot = max(snapshot, index)
        guard index > last ?? 0 else { return }
        items.removeAll()
        last = index
    }

    /// A whole sector of the record is zero: it was never written.
    private static func isCut(_ bytes: UnsafeRawBufferPointer, from start: Int, count: Int) -> Bool {
        var from = start
        while from < start + count {
            let end = min((from / sectorBytes + 1) * sectorBytes, start + count)
            if bytes[from..<end].allSatisfy({ $0 == 0 }) { return true }
            from = end
        }
        return false
    }
}

extension EtcdLog.Item.Kind {
    /// - Parameter number: `raftpb.EntryType`.
    fileprivate init(_ number: Int32) {
        self =
            switch number {
            case 0: .request
            case 1: .memberChange
            default: .other
            }
    }
}
