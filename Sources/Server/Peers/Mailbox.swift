internal import NIOCore
internal import StrakeRaft
internal import StrakeStore
internal import Synchronization

/// Where any thread leaves what the event loop is to carry, under one short lock.
final class Mailbox: Sendable {
    /// What the loop finds besides the queues.
    struct Mail {
        /// The newest list of members, if it changed.
        var peers: [Peer]?
        var replies: [AskReply] = []
        /// Members that entries or proposals were dropped for.
        var lostEntries: [MemberID] = []
        /// Questions that will not be answered.
        var failedAsks: [AskTable.Answer] = []
        /// When the oldest question runs out.
        var askDeadline: NIODeadline?
    }

    private struct State {
        var outboxes: [MemberID: Outbox] = [:]
        var mail = Mail()
        /// The loop has been woken and has not looked yet.
        var isScheduled = false
        var askCount: UInt64 = 0
        var isClosed = false

        /// True: the loop must be woken.
        mutating func schedule() -> Bool {
            defer { isScheduled = true }
            return !isScheduled && !isClosed
        }
    }

    private let state = Mutex(State())
    private let options: PeerOptions

    init(options: PeerOptions) {
        self.options = options
    }

    // MARK: From any thread. Each returns whether the loop must be woken.

    func post(_ messages: [Message]) -> Bool {
        let sizes = messages.map { MessageCodec.encodedSize($0) }
        return state.withLock { state in
            for (message, bytes) in zip(messages, sizes) {
                precondition(message.from == options.member, "a message of \(message.from) to send")
                // No such member: raft's list may be ahead of ours.
                state.outboxes[message.to]?.add(message, bytes: bytes)
            }
            return state.schedule()
        }
    }

    func post(_ peers: [Peer]) -> Bool {
        state.withLock { state in
            let listed = Set(peers.map(\.id)).subtracting([options.member])
            for (id, outbox) in state.outboxes where !listed.contains(id) && !outbox.isGuest {
                var gone = outbox
                state.outboxes[id] = nil
                state.mail.failedAsks += gone.asks.removeAll(on: .urgent) + gone.asks.removeAll(on: .bulk)
            }
            for id in listed where state.outboxes[id]?.isGuest != false {
                if state.outboxes[id] == nil {
                    state.outboxes[id] = Outbox(options: options, isGuest: false)
                } else {
                    state.outboxes[id]?.isGuest = false
                }
            }
            state.mail.peers = peers
            return state.schedule()
        }
    }

    /// Nil: the transport is closed, and the caller answers.
    func post(ask member: MemberID, _ request: [UInt8], _ answer: @escaping AskTable.Answer) -> Bool? {
        let deadline = NIODeadline.now() + .milliseconds(Int64(options.askMilliseconds))
        return state.withLock { state in
            if state.isClosed { return nil }
            state.askCount += 1
            let isAdded =
                state.outboxes[member]?.add(ask: state.askCount, request, deadline: deadline, answer) ?? false
            if !isAdded { state.mail.failedAsks.append(answer) }
            return state.schedule()
        }
    }

    func post(_ reply: AskReply) -> Bool {
        state.withLock { state in
            state.mail.replies.append(reply)
            return state.schedule()
        }
    }

    // MARK: From the loop

    func open() -> Mail {
        state.withLock { state in
            state.isScheduled = false
            var mail = state.mail
            state.mail = Mail()
            for (id, outbox) in state.outboxes where outbox.hasLostEntries {
                mail.lostEntries.append(id)
                state.outboxes[id]?.hasLostEntries = false
            }
            mail.askDeadline = state.outboxes.values.compactMap(\.asks.deadline).min()
            return mail
        }
    }

    func take(for member: MemberID, on stream: StreamKind, bytesMax: Int) -> [SendQueue.Item] {
        state.withLock { $0.outboxes[member]?[stream].take(bytesMax: bytesMax) ?? [] }
    }

    /// The stream is connected, or about to be.
    func openStream(to member: MemberID, _ stream: StreamKind) {
        state.withLock { $0.outboxes[member]?[stream].isOpen = true }
    }

    /// The stream is gone with what waits for it.
    ///
    /// - Returns: The answers that will not come, and whether messages were lost.
    func closeStream(to member: MemberID, _ stream: StreamKind) -> (asks: [AskTable.Answer], lost: Bool) {
        state.withLock { state in
            guard var outbox = state.outboxes[member] else { return ([], false) }
            state.outboxes[member] = nil
            defer { state.outboxes[member] = outbox }
            let dropped = outbox[stream].clear()
            outbox[stream].isOpen = false
            outbox.counters.sendFailures.add(UInt64(dropped), ordering: .relaxed)
            return (outbox.asks.removeAll(on: stream), dropped > 0)
        }
    }

    func answer(of member: MemberID, to id: UInt64) -> AskTable.Answer? {
        state.withLock { $0.outboxes[member]?.asks.remove(id) ?? nil }
    }

    func expireAsks(at now: NIODeadline) -> [AskTable.Answer] {
        state.withLock { state in
            var expired: [AskTable.Answer] = []
            for id in state.outboxes.keys { expired += state.outboxes[id]?.asks.expire(at: now) ?? [] }
            return expired
        }
    }

    func addGuest(_ member: MemberID) {
        state.withLock { state in
            if state.outboxes[member] == nil {
                state.outboxes[member] = Outbox(options: options, isGuest: true)
            }
        }
    }

    func removeGuest(_ member: MemberID) -> [AskTable.Answer] {
        state.withLock { state in
            guard var gone = state.outboxes[member], gone.isGuest else { return [] }
            state.outboxes[member] = nil
            return gone.asks.removeAll(on: .urgent) + gone.asks.removeAll(on: .bulk)
        }
    }

    /// Nothing is carried any more.
    func close() -> [AskTable.Answer] {
        state.withLock { state in
            state.isClosed = true
            var failed = state.mail.failedAsks
            for id in state.outboxes.keys {
                guard var outbox = state.outboxes[id] else { continue }
                failed += outbox.asks.removeAll(on: .urgent) + outbox.asks.removeAll(on: .bulk)
            }
            state.outboxes = [:]
            state.mail = Mail()
            return failed
        }
    }

    // MARK: For metrics

    var counters: [(member: MemberID, counters: PeerCounters)] {
        state.withLock { state in
            state.outboxes.map { (member: $0.key, counters: $0.value.counters) }.sorted { $0.member < $1.member }
        }
    }

    func counters(of member: MemberID) -> PeerCounters? {
        state.withLock { $0.outboxes[member]?.counters }
    }

    /// Bytes that wait for the member.
    func bytesWaiting(for member: MemberID) -> Int {
        state.withLock { state in
            guard let outbox = state.outboxes[member] else { return 0 }
            return outbox.urgent.bytes + outbox.bulk.bytes
        }
    }
}

/// The answer to a question that came on a connection.
struct AskReply: Sendable {
    var connection: UInt64
    var id: UInt64
    var answer: [UInt8]?
}
