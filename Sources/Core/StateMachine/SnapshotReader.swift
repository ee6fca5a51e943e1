internal import StrakeChecksum
internal import StrakeMVCC
internal import StrakeModel
package import StrakeRaft
package import StrakeTables

/// A snapshot on its way in: makes a state machine's tables of its stream, in bounded memory.
package struct SnapshotReader: ~Copyable {
    private let metadata: SnapshotMetadata
    private var builder: StoreBuilder
    private var buffer: [UInt8] = []
    /// Bytes of the whole records that were taken.
    package private(set) var taken: UInt64 = 0
    private var rows: [StateChange] = []
    private var revision: Int64 = 0
    private var compactRevision: Int64 = 0
    private var digest: UInt64 = 0
    private var eventCount: UInt64 = 0
    private var state = State.head

    private enum State {
        case head, rows, events, end
    }

    /// - Parameters:
    ///   - metadata: The snapshot that was announced.
    ///   - tables: Empty ones.
    package init(_ metadata: SnapshotMetadata, into tables: StoreTables) throws(SnapshotError) {
        self.metadata = metadata
        do throws(MVCCError) { builder = try StoreBuilder(tables: tables) } catch { throw .store(error) }
    }

    /// Takes the next piece, cut anywhere.
    package mutating func write(_ piece: [UInt8]) throws(SnapshotError) {
        buffer += piece
        var offset = 0
        while let length = try recordLength(at: offset) {
            try take(from: offset + SnapshotStream.prefixBytes, count: length, prefix: offset)
            offset += SnapshotStream.prefixBytes + length
        }
        buffer.removeFirst(offset)
        taken += UInt64(offset)
    }

    /// Forgets the part of a record that came last: the stream goes on behind `taken`.
    package mutating func dropPart() { buffer = [] }

    /// The whole stream has been written: makes the tables whole and durable.
    package consuming func finish() throws(SnapshotError) {
        guard case .end = state, buffer.isEmpty else { throw .truncated }
        let isWhole: Bool
        do throws(MVCCError) {
            isWhole = try builder.finish(
                appliedIndex: metadata.last.index.rawValue, appliedTerm: metadata.last.term.rawValue,
                revision: revision, compactRevision: compactRevision, digest: digest, stateChanges: rows)
        } catch { throw .store(error) }
        guard isWhole else { throw .malformed("events beyond the snapshot's revision") }
    }

    /// Nil when the record is not all there yet.
    private func recordLength(at offset: Int) throws(SnapshotError) -> Int? {
        guard buffer.count - offset >= SnapshotStream.prefixBytes else { return nil }
        let length = buffer[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= SnapshotStream.recordBytesMax else {
            throw .malformed("a record of \(length) bytes")
        }
        return buffer.count - offset >= SnapshotStream.prefixBytes + length ? length : nil
    }

    private mutating func take(from start: Int, count: Int, prefix: Int) throws(SnapshotError) {
        let expected = buffer[prefix + 4..<prefix + 8].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let record = Array(buffer[start..<start + count])
        guard CRC32C.checksum(record) == expected else { throw .checksum }
        guard let kind = SnapshotStream.Kind(rawValue: record[0]) else { throw .malformed("kind \(record[0])") }
        try record.withUnsafeBufferPointer { record throws(SnapshotError) in
            var fields = SnapshotRecordReader(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(record)[1...]))
            try take(kind, &fields)
            guard fields.remaining == 0 else { throw .malformed("a record is too long") }
        }
    }

    private mutating func take(
        _ kind: SnapshotStream.Kind, _ fields: inout SnapshotRecordReader
    ) throws(SnapshotError) {
        switch (kind, state) {
        case (.head, .head): try takeHead(&fields)
        case (.row, .rows):
            let key = try fields.array(Int(try fields.number(UInt32.self)))
            rows.append(StateChange(key: key, value: try fields.array(fields.remaining)))
        case (.events, .rows), (.events, .events):
            state = .events
            while fields.remaining > 0 {
                let event = try fields.event()
                let isNext: Bool
                do throws(MVCCError) { isNext = try builder.append(event) } catch { throw .store(error) }
                guard isNext else { throw .malformed("event \(event.header.revision.main) out of order") }
                eventCount += 1
            }
        case (.end, .rows), (.end, .events):
            state = .end
            let counts = (rows: try fields.number(UInt64.self), events: try fields.number(UInt64.self))
            guard counts.rows == UInt64(rows.count), counts.events == eventCount else {
                throw .malformed("not as many rows and events as were sent")
            }
        case (.head, _), (.row, _), (.events, _), (.end, _):
            throw .malformed("a record of kind \(kind.rawValue) where none can be")
        }
    }

    private mutating func takeHead(_ fields: inout SnapshotRecordReader) throws(SnapshotError) {
        state = .rows
        let version = try fields.number(UInt8.self)
        guard version == SnapshotStream.version || version == SnapshotStream.versionWithAuth else {
            throw .unsupportedVersion(version)
        }
        let term = Term(rawValue: try fields.number())
        let last = EntryID(term: term, index: LogIndex(rawValue: try fields.number()))
        guard last == metadata.last else { throw .otherSnapshot(last) }
        revision = try fields.number()
        compactRevision = try fields.number()
        digest = try fields.number()
    }
}
