internal import StrakeRaft

/// What a member's state machine has become: a digest stands for its content.
struct AppliedState: Hashable {
    var last: EntryID
    var configuration: Configuration
    var digest: UInt64

    init(_ base: SnapshotMetadata) {
        last = base.last
        configuration = base.configuration
        digest = base.last.index.rawValue
    }

    var snapshot: SnapshotMetadata { SnapshotMetadata(last: last, configuration: configuration) }

    mutating func apply(_ entry: Entry) {
        precondition(entry.index == last.index + 1, "applied \(entry.id) after \(last)")
        last = entry.id
        for value in [entry.term.rawValue, UInt64(entry.kind.rawValue)] + entry.data.map(UInt64.init) {
            digest = (digest ^ value) &* 0x100_0000_01B3
        }
        guard entry.kind == .configuration else { return }
        guard let change = ConfigurationChange(decoding: entry.data),
            let next = try? configuration.applying(change)
        else { preconditionFailure("change \(entry.id) cannot be applied") }
        configuration = next
    }
}

/// What survives a crash.
struct Disk {
    var hardState = HardState()
    /// The entry before the first.
    var base: EntryID
    var entries: [Entry] = []
    /// The state machine's last checkpoint.
    var checkpoint: AppliedState

    init(_ base: SnapshotMetadata) {
        self.base = base.last
        checkpoint = AppliedState(base)
    }

    var last: EntryID { entries.last?.id ?? base }

    mutating func write(_ write: Write) {
        if let hardState = write.hardState { self.hardState = hardState }
        for entry in write.entries {
            if entry.index <= last.index { entries.removeSubrange(Int(entry.index - base.index - 1)...) }
            precondition(entry.index == last.index + 1, "gap in the log: \(entry.id) after \(last)")
            entries.append(entry)
        }
    }

    mutating func restore(_ state: AppliedState) {
        base = state.last
        entries = []
        checkpoint = state
    }

    mutating func compact(through index: LogIndex) {
        guard index > base.index else { return }
        let count = Int(index - base.index)
        base = entries[count - 1].id
        entries.removeFirst(count)
    }

    func read(_ read: LogRead) -> [Entry] {
        guard read.from > base.index else { return [] }
        var found: [Entry] = []
        var bytes = 0
        for entry in entries where entry.index >= read.from && entry.index <= read.through {
            bytes += entry.data.count + 32
            if !found.isEmpty, bytes > read.bytesMax { break }
            found.append(entry)
        }
        return found
    }

    func node(id: MemberID, options: RaftOptions, seed: UInt64) -> RaftNode {
        var log = RaftLog(after: base, cacheBytesMax: options.cacheBytesMax)
        for entry in entries { log.append(entry) }
        return RaftNode(
            id: id, options: options, seed: seed, hardState: hardState, base: checkpoint.snapshot, log: log)
    }
}
