internal import StrakeRaft

/// Raft's messages as bytes. Whom a message is from and to is not in them: the connection says it.
///
///     term u64 | kind u8 | body
///
/// The bodies stand at their coders; docs/peer-protocol.md has them all.
package enum MessageCodec {
    static let headBytes = 9
    static let entryIDBytes = 16
    /// An entry without its data. Its index follows from its place.
    static let entryHeadBytes = 13
    static let proposalHeadBytes = 5
    static let batchBytes = 16
    /// Terms, indexes and the like stay below: there is always a next one.
    static let numberMax = UInt64(Int64.max)

    enum Kind: UInt8 {
        case requestVote = 1
        case vote = 2
        case append = 3
        case appendResponse = 4
        case heartbeat = 5
        case heartbeatResponse = 6
        case snapshot = 7
        case timeoutNow = 8
        case propose = 9
        case readIndex = 10
        case readIndexResponse = 11
        case transferLeadership = 12
        case proposeRefused = 13
    }

    enum ProposalKind: UInt8 {
        case command = 0
        case configuration = 1
    }

    enum AppendResultKind: UInt8 {
        case accepted = 0
        case rejected = 1
    }
}
