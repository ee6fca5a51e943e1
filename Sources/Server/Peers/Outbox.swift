internal import NIOCore
internal import StrakeRaft
internal import Synchronization

/// All that waits for one member.
struct Outbox {
    /// Larger questions go with the entries.
    static let urgentAskBytesMax = 16 << 10

    var urgent: SendQueue
    var bulk: SendQueue
    var asks = AskTable()
    let counters = PeerCounters()
    /// Not in the list of members, but connected to us: we may have fallen behind.
    var isGuest: Bool
    /// Entries or proposals were dropped, and raft has not been told.
    var hasLostEntries = false

    init(options: PeerOptions, isGuest: Bool) {
        urgent = SendQueue(bounds: options.urgentBounds)
        bulk = SendQueue(bounds: options.bulkBounds)
        self.isGuest = isGuest
    }

    subscript(stream: StreamKind) -> SendQueue {
        get { stream == .urgent ? urgent : bulk }
        _modify {
            precondition(stream != .snapshot, "snapshots are not queued")
            if stream == .urgent { yield &urgent } else { yield &bulk }
        }
    }

    mutating func add(_ message: Message, bytes: Int) {
        let stream = message.body.stream
        if self[stream].add(.message(message, bytes: bytes)) { return }
        counters.sendFailures.add(1, ordering: .relaxed)
        switch message.body {
        // Who waits for a proposal is to hear what became of it, when its time is over.
        case .append, .propose: hasLostEntries = true
        case .requestVote, .vote, .appendResponse, .heartbeat, .heartbeatResponse, .snapshot, .timeoutNow,
            .proposeRefused, .readIndex, .readIndexResponse, .transferLeadership:
            break
        }
    }

    /// False: it cannot be asked now.
    mutating func add(
        ask id: UInt64, _ request: [UInt8], deadline: NIODeadline, _ answer: @escaping AskTable.Answer
    ) -> Bool {
        let stream: StreamKind = request.count <= Self.urgentAskBytesMax ? .urgent : .bulk
        guard !asks.isFull, self[stream].add(.ask(id, request: request)) else { return false }
        asks.add(id, on: stream, deadline: deadline, answer)
        return true
    }
}

extension Message.Body {
    /// Entries stay in order among themselves; all else overtakes them. An append without entries goes with those before
    /// it: ahead of them it would be rejected.
    var stream: StreamKind {
        switch self {
        case .append, .propose: .bulk
        case .requestVote, .vote, .appendResponse, .heartbeat, .heartbeatResponse, .snapshot, .timeoutNow,
            .proposeRefused, .readIndex, .readIndexResponse, .transferLeadership:
            .urgent
        }
    }
}
