internal import StrakeRaft

/// What the records say, one after the other. Checks that they make sense together.
struct LogState {
    var index: EntryIndex
    var hardState = HardState()
    var snapshot: SnapshotMetadata?

    init(start: EntryID) {
        index = EntryIndex(start: start)
    }

    mutating func apply(_ record: ScannedRecord, sequence: UInt64) throws(LogCorruption.Problem) {
        guard let type = RecordType(rawValue: record.header.type) else {
            throw .content("a record is of unknown type \(record.header.type)")
        }
        switch type {
        case .segment: throw .content("a second segment record")
        case .entry: try applyEntry(record, sequence: sequence)
        case .hardState: try apply(try RecordPayload.hardState(record.payload))
        case .snapshot: try apply(try RecordPayload.snapshot(record.payload))
        case .cut: try applyCut(after: try RecordPayload.entryID(record.payload))
        }
    }

    private mutating func applyEntry(_ record: ScannedRecord, sequence: UInt64) throws(LogCorruption.Problem) {
        let id = try RecordPayload.entryID(record.payload)
        guard id.index == index.last.index + 1, id.term >= index.last.term else {
            throw .content("entry \(id) follows entry \(index.last)")
        }
        guard Entry.Kind(rawValue: record.header.entryKind) != nil else {
            throw .content("entry \(id) is of unknown kind \(record.header.entryKind)")
        }
        index.append(id, sequence: sequence, bytes: record.bytes)
    }

    private mutating func apply(_ state: HardState) throws(LogCorruption.Problem) {
        guard state.term >= hardState.term, state.term >= index.last.term, state.committed >= hardState.committed,
            state.committed <= index.last.index
        else { throw .content("hard state \(state) follows \(hardState) with last entry \(index.last)") }
        hardState = state
    }

    private mutating func apply(_ mark: SnapshotMetadata) throws(LogCorruption.Problem) {
        let index = mark.last.index
        guard index >= snapshot?.last.index ?? .zero, index <= self.index.last.index,
            index < self.index.start.index || self.index.term(at: index) == mark.last.term
        else {
            throw .content("the snapshot mark at \(mark.last) does not fit the log, which ends with \(self.index.last)")
        }
        snapshot = mark
    }

    private mutating func applyCut(after last: EntryID) throws(LogCorruption.Problem) {
        guard last.index <= index.last.index, last.index >= hardState.committed else {
            throw .content(
                "the log is cut after \(last), commits through \(hardState.committed), ends with \(index.last)")
        }
        if last.index < index.start.index {
            // The segments that held the entries between were truncated when these were no longer part of the log.
            index.reset(start: last)
        } else {
            guard index.term(at: last.index) == last.term else {
                throw .content("the log is cut after \(last), which is another entry there")
            }
            index.cut(after: last.index)
        }
    }
}
