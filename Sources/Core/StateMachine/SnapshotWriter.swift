internal import StrakeMVCC
package import StrakeRaft
internal import StrakeTables

/// A snapshot of a state machine on its way out: what it was at one entry, however long the reading takes.
///
/// It holds history from physical removal until it is dropped, and no transaction between two pieces.
package struct SnapshotWriter: Sendable {
    /// Bytes of events that one record takes, about.
    private static let eventBytes = 256 << 10

    package let metadata: SnapshotMetadata
    private var history: HistoryTransfer
    private let rows: [StateChange]
    private var nextRow = 0
    private var rowCount: UInt64 = 0
    private var eventCount: UInt64 = 0
    private var hasHead = false
    private var hasEnd = false
    private var pending: ArraySlice<UInt8> = []

    init(_ machine: borrowing StateMachine) {
        metadata = machine.snapshot
        history = machine.store.transfer()
        rows = machine.stateRows()
    }

    /// The next piece of at most `bytesMax` bytes; nil at the end.
    package mutating func next(bytesMax: Int) throws(SnapshotError) -> [UInt8]? {
        precondition(bytesMax > 0, "a piece of no bytes")
        while pending.isEmpty {
            guard !hasEnd else { return nil }
            pending = try records()[...]
        }
        let piece = pending.prefix(bytesMax)
        pending = pending.dropFirst(bytesMax)
        return Array(piece)
    }

    /// The next records, some hundred kilobytes of them. Empty when a stretch of history had nothing that counts.
    private mutating func records() throws(SnapshotError) -> [UInt8] {
        var writer = SnapshotRecordWriter()
        if !hasHead {
            hasHead = true
            writer.begin(.head)
            writer.add(SnapshotStream.version)
            writer.add(metadata.last.term.rawValue)
            writer.add(metadata.last.index.rawValue)
            writer.add(history.revision)
            writer.add(history.compactRevision)
            writer.add(history.digest)
            writer.end()
        } else if nextRow < rows.count {
            while nextRow < rows.count, writer.bytes.count < Self.eventBytes {
                guard let value = rows[nextRow].value else { preconditionFailure("a row without a value") }
                writer.begin(.row)
                writer.add(UInt32(rows[nextRow].key.count))
                writer.add(rows[nextRow].key)
                writer.add(value)
                writer.end()
                nextRow += 1
                rowCount += 1
            }
        } else if !history.isAtEnd {
            let events: [EventRecord]
            do throws(MVCCError) {
                events = try history.next(byteBudget: Self.eventBytes)
            } catch { throw .store(error) }
            guard !events.isEmpty else { return [] }
            writer.begin(.events)
            for event in events { writer.add(event) }
            writer.end()
            eventCount += UInt64(events.count)
        } else {
            hasEnd = true
            writer.begin(.end)
            writer.add(rowCount)
            writer.add(eventCount)
            writer.end()
        }
        return writer.take()
    }
}
