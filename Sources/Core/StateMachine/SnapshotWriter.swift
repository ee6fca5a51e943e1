internal import StrakeAuth
internal import StrakeMVCC
package import StrakeRaft
internal import StrakeTables

/// A snapshot of a state machine on its way out: what it was at one entry, however long the reading takes.
///
/// It holds history from physical removal until it is dropped, and no transaction between two pieces.
package struct SnapshotWriter: Sendable {
    /// Bytes of events that one record takes, about.
    private static let eventBytes = 256 << 10
    /// Places to go on from, beside the beginning: some 128 MiB of the stream, more than can be on its way.
    private static let marksMax = 512

    /// Where the stream is, between two batches of records.
    private struct Place {
        /// Bytes before it.
        var offset: UInt64 = 0
        var history: HistoryTransfer
        var nextRow = 0
        var rowCount: UInt64 = 0
        var eventCount: UInt64 = 0
        var hasHead = false
        var hasEnd = false
    }

    package let metadata: SnapshotMetadata
    private let rows: [StateChange]
    private let version: UInt8
    private var place: Place
    /// Where batches of records began, ascending; the first is the beginning.
    private var marks: [Place]
    private var pending: ArraySlice<UInt8> = []

    init(_ machine: borrowing StateMachine) {
        metadata = machine.snapshot
        place = Place(history: machine.store.transfer())
        marks = [place]
        rows = machine.stateRows()
        version = machine.auth.isPristine ? SnapshotStream.version : SnapshotStream.versionWithAuth
    }

    /// Goes on behind what the other member has.
    ///
    /// - Parameter offset: Bytes of whole records that it has taken.
    /// - Returns: False when that place is not at hand any more, or never was one.
    package mutating func resume(at offset: UInt64) throws(SnapshotError) -> Bool {
        if offset == place.offset {
            pending = []
            return true
        }
        guard let found = marks.lastIndex(where: { $0.offset <= offset }) else { return false }
        marks.removeSubrange((found + 1)...)
        place = marks[found]
        pending = []
        let behind = offset - place.offset
        if behind == 0 { return true }
        // Of a batch of rows it may have some: they are the same each time. A batch of events is one record.
        guard !place.hasHead || place.nextRow < rows.count else { return false }
        let bytes = try records()
        guard behind <= UInt64(bytes.count) else { return false }
        pending = bytes[Int(behind)...]
        return true
    }

    /// The next piece of at most `bytesMax` bytes; nil at the end.
    package mutating func next(bytesMax: Int) throws(SnapshotError) -> [UInt8]? {
        precondition(bytesMax > 0, "a piece of no bytes")
        while pending.isEmpty {
            guard !place.hasEnd else { return nil }
            if place.offset > marks[marks.count - 1].offset {
                if marks.count > Self.marksMax { marks.remove(at: 1) }
                marks.append(place)
            }
            pending = try records()[...]
        }
        let piece = pending.prefix(bytesMax)
        pending = pending.dropFirst(bytesMax)
        return Array(piece)
    }

    /// The next records, some hundred kilobytes of them. Empty when a stretch of history had nothing that counts.
    private mutating func records() throws(SnapshotError) -> [UInt8] {
        var writer = SnapshotRecordWriter()
        if !place.hasHead {
            place.hasHead = true
            writer.begin(.head)
            writer.add(version)
            writer.add(metadata.last.term.rawValue)
            writer.add(metadata.last.index.rawValue)
            writer.add(place.history.revision)
            writer.add(place.history.compactRevision)
            writer.add(place.history.digest)
            writer.end()
        } else if place.nextRow < rows.count {
            while place.nextRow < rows.count, writer.bytes.count < Self.eventBytes {
                guard let value = rows[place.nextRow].value else { preconditionFailure("a row without a value") }
                writer.begin(.row)
                writer.add(UInt32(rows[place.nextRow].key.count))
                writer.add(rows[place.nextRow].key)
                writer.add(value)
                writer.end()
                place.nextRow += 1
                place.rowCount += 1
            }
        } else if !place.history.isAtEnd {
            let events: [EventRecord]
            do throws(MVCCError) {
                events = try place.history.next(byteBudget: Self.eventBytes)
            } catch { throw .store(error) }
            guard !events.isEmpty else { return [] }
            writer.begin(.events)
            for event in events { writer.add(event) }
            writer.end()
            place.eventCount += UInt64(events.count)
        } else {
            place.hasEnd = true
            writer.begin(.end)
            writer.add(place.rowCount)
            writer.add(place.eventCount)
            writer.end()
        }
        let bytes = writer.take()
        place.offset += UInt64(bytes.count)
        return bytes
    }
}
