internal import StrakeLog
internal import StrakeRaft
internal import StrakeReplication

/// Knows what a member's disk has for certain, and compares it with what the member says to others.
struct DiskChecker {
    /// The log through here has been flushed as the node has it.
    private var flushed: LogIndex
    private var flushedState: HardState
    /// It would know the log to be committed so far if the power failed now.
    private(set) var committed: LogIndex

    /// - Parameter committed: What the member has found out from what it opened.
    init(opened log: DurableLog, committed: LogIndex) {
        flushed = log.lastIndex
        flushedState = log.hardState
        self.committed = committed
    }

    mutating func appended(_ entries: [Entry]) {
        // What these entries replace is no longer of use, and they are not there yet.
        if let first = entries.first { flushed = min(flushed, first.index - 1) }
    }

    mutating func flushed(_ log: DurableLog) {
        flushed = log.lastIndex
        flushedState = log.hardState
        committed = max(committed, log.hardState.committed)
    }

    mutating func installed(_ snapshot: SnapshotMetadata, _ log: DurableLog) {
        flushed(log)
        committed = max(committed, snapshot.last.index)
    }

    /// - Returns: What the member counts on or says though its disk does not have it.
    func falsehood(_ node: borrowing RaftNode, _ output: borrowing ReplicaOutput) -> String? {
        if node.durable > flushed { return "counts entries through \(node.durable) as durable, \(flushed) are" }
        for message in output.messages {
            switch message.body {
            case .appendResponse(let answer) where answer.committed > committed:
                return "says that \(answer.committed) is committed, its disk knows \(committed)"
            case .heartbeatResponse(let answer) where answer.committed > committed:
                return "says that \(answer.committed) is committed, its disk knows \(committed)"
            case .vote(let answer) where answer.committed.index > committed:
                return "says that \(answer.committed) is committed, its disk knows \(committed)"
            case .appendResponse(let answer):
                guard case .accepted(let index) = answer.result, index > flushed else { continue }
                return "says that it has entries through \(index), its disk has \(flushed)"
            case .vote(let answer) where answer.ballot == .vote && answer.granted:
                guard flushedState.term != message.term || flushedState.vote != message.to else { continue }
                return "votes for \(message.to) in term \(message.term), its disk does not have it"
            default: continue
            }
        }
        return nil
    }
}
