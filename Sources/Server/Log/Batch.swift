internal import StrakeRaft

/// The records of one append, in the order in which they are written.
struct Batch {
    var cut: EntryID?
    /// Encoded; nil if there is none.
    private var markPayload: [UInt8]?
    let entries: [Entry]
    let hardState: HardState?
    private(set) var byteCount = 0

    init(entries: [Entry], hardState: HardState?, mark: SnapshotMetadata?, cut: EntryID?) {
        self.entries = entries
        self.hardState = hardState
        self.cut = cut
        markPayload = mark.map(RecordPayload.encode)
        for entry in entries { byteCount += Self.size(of: entry) }
        precondition(byteCount <= Record.payloadBytesMax, "a batch of \(byteCount) bytes")
        if hardState != nil { byteCount += Record.size(payloadBytes: RecordPayload.hardStateBytes) }
        if cut != nil { byteCount += Record.size(payloadBytes: RecordPayload.entryIDBytes) }
        if let markPayload { byteCount += Record.size(payloadBytes: markPayload.count) }
    }

    static func size(of entry: Entry) -> Int {
        Record.size(payloadBytes: RecordPayload.entryIDBytes + entry.data.count)
    }

    var recordCount: Int {
        entries.count + (hardState == nil ? 0 : 1) + (cut == nil ? 0 : 1) + (markPayload == nil ? 0 : 1)
    }

    mutating func dropMark() {
        guard let markPayload else { return }
        byteCount -= Record.size(payloadBytes: markPayload.count)
        self.markPayload = nil
    }

    /// Encodes all records and returns where the first entry's begins.
    func encode(into encoder: inout RecordEncoder) -> Int {
        if let markPayload { encoder.add(snapshot: markPayload) }
        if let cut { encoder.addCut(after: cut) }
        let firstEntry = encoder.count
        for entry in entries { encoder.add(entry) }
        if let hardState { encoder.add(hardState) }
        return firstEntry
    }
}
