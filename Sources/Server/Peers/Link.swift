internal import NIOCore
internal import StrakeRaft
internal import StrakeStore
internal import Synchronization

/// One stream to a member that is meant to be there always: connected again whenever it ends. It lives on the loop.
final class Link: OutgoingOwner, @unchecked Sendable {
    /// Bytes that are taken from the queue and written at once.
    private static let batchBytesMax = 1 << 20
    /// Batches written before other connections get their turn.
    private static let batchesPerTurn = 4

    private enum State {
        case idle
        case connecting(OutgoingConnection)
        case open(OutgoingConnection, since: NIODeadline)
        case waiting(Scheduled<Void>, endsOnContact: Bool)
        case closed
    }

    let member: MemberID
    let stream: StreamKind
    private unowned let loop: PeerLoop
    private var state = State.idle
    private var backoff: Backoff
    private var urls: [PeerURL]
    /// The URL of the present or next attempt.
    private var place = 0
    private var pingSent: NIODeadline?
    private var isContinuing = false
    /// What is written may make room at once, which is told before the write returns.
    private var isWriting = false
    private var pace = CatchUpPace()
    /// The member is far behind, and others have their turn.
    private var isPausing = false
    /// Pauses between attempts so far.
    private var pauses = 0

    init(to member: MemberID, _ stream: StreamKind, urls: [PeerURL], loop: PeerLoop) {
        self.member = member
        self.stream = stream
        self.urls = urls
        self.loop = loop
        backoff = Backoff(
            firstMilliseconds: loop.options.backoffMilliseconds,
            longestMilliseconds: loop.options.backoffMillisecondsMax)
    }

    var url: PeerURL? { urls.isEmpty ? nil : urls[place % urls.count] }

    var isOpen: Bool { if case .open = state { true } else { false } }

    /// Makes the first attempt.
    func start() {
        guard case .idle = state else { return }
        connect()
    }

    private func connect() {
        guard let url else {
            state = .idle
            return drop()
        }
        let connection = OutgoingConnection(
            loop.hello(to: member, stream), options: loop.options, counters: loop.mailbox.counters(of: member),
            owner: self)
        state = .connecting(connection)
        connection.connect(to: url, on: loop)
    }

    /// New URLs. A connection stays while its own is among them.
    func update(_ urls: [PeerURL]) {
        let current = url
        guard urls != self.urls else { return }
        self.urls = urls
        if let current, let place = urls.firstIndex(of: current) {
            self.place = place
            return
        }
        place = 0
        switch state {
        case .connecting(let connection), .open(let connection, _): connection.close()
        case .waiting(let timer, _): timer.cancel()
        case .idle: break
        case .closed: return
        }
        backoff.reset()
        connect()
    }

    /// The member has just connected to us, so it is there: a pause ends.
    func contacted() {
        guard case .waiting(let timer, endsOnContact: true) = state else { return }
        timer.cancel()
        connect()
    }

    func close() {
        switch state {
        case .connecting(let connection), .open(let connection, _): connection.close()
        case .waiting(let timer, _): timer.cancel()
        case .idle, .closed: break
        }
        state = .closed
    }

    // MARK: Sending

    /// Writes what waits, as far as the socket takes it.
    func pump() {
        guard case .open(let connection, _) = state, !isContinuing, !isWriting, !isPausing else { return }
        for _ in 0..<Self.batchesPerTurn {
            guard connection.isWritable else { return }
            let items = loop.mailbox.take(for: member, on: stream, bytesMax: Self.batchBytesMax)
            if items.isEmpty { return }
            isWriting = true
            write(items, to: connection)
            isWriting = false
            if stream == .bulk, pauses(after: items) { return }
        }
        isContinuing = true
        loop.eventLoop.execute {
            self.isContinuing = false
            self.pump()
        }
    }

    private func pauses(after items: [SendQueue.Item]) -> Bool {
        let now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        let pause = pace.pause(after: .init(items), at: now, beside: loop.writes)
        guard pause > 0 else { return false }
        isPausing = true
        loop.eventLoop.scheduleTask(in: .nanoseconds(pause)) {
            self.isPausing = false
            self.pump()
        }
        return true
    }

    private func write(_ items: [SendQueue.Item], to connection: OutgoingConnection) {
        let bytes = items.reduce(0) { $0 + Frame.headerBytes + $1.bytes }
        var buffer = ByteBufferAllocator().buffer(capacity: bytes)
        for item in items {
            guard item.bytes <= loop.options.frameBytesMax else {
                loop.mailbox.counters(of: member)?.sendFailures.add(1, ordering: .relaxed)
                loop.tell(
                    .oversized(member, bytes: item.bytes, max: loop.options.frameBytesMax), about: "size \(member)")
                continue
            }
            switch item {
            case .message(let message, let bytes):
                Frame.append(.message, payloadBytes: bytes, to: &buffer) { MessageCodec.encode(message, to: &$0) }
            case .ask(let id, let request):
                Frame.append(.ask, payloadBytes: item.bytes, to: &buffer) { writer in
                    writer.add(id)
                    writer.add(request)
                }
            }
        }
        connection.write(buffer)
    }

    /// What waits cannot be sent: it would be stale later. Raft is told to try carefully from now on.
    private func drop() {
        let (asks, lost) = loop.mailbox.closeStream(to: member, stream)
        for answer in asks { answer(nil) }
        if lost || stream == .bulk { loop.receiver?.unreachable(member) }
    }

    // MARK: Connection

    func opened(_ connection: OutgoingConnection) {
        pingSent = nil
        state = .open(connection, since: .now())
        if stream == .urgent { loop.mailbox.counters(of: member)?.isConnected.store(true, ordering: .relaxed) }
        loop.mailbox.openStream(to: member, stream)
        loop.tell(.connected(member, stream), about: "\(member) \(stream)")
        if let url { loop.forgetNotices(about: "\(member) at \(url.text)") }
        pump()
    }

    func received(_ frame: Frame, on connection: OutgoingConnection) throws(PeerProtocolError) {
        switch frame.type {
        case .pong: ponged()
        case .answer:
            let (id, answer) = try frame.read { reader throws(PeerProtocolError) -> (UInt64, [UInt8]?) in
                let id = try reader.integer(UInt64.self)
                let isThere = try reader.flag("answer")
                return (id, isThere ? reader.rest() : nil)
            }
            // One that came too late has been answered by the clock.
            loop.mailbox.answer(of: member, to: id)?(answer)
        case .message, .ask, .ping, .snapshotBegin, .snapshotPiece, .snapshotEnd, .snapshotReply:
            throw .unexpectedFrame(frame.type.rawValue)
        }
    }

    func writabilityChanged(_ connection: OutgoingConnection) { pump() }

    func ended(_ connection: OutgoingConnection, _ end: OutgoingConnection.End) {
        let address = url?.text ?? ""
        let subject = "\(member) at \(address)"
        switch (end, state) {
        case (_, .closed), (_, .idle), (_, .waiting): return
        case (.refused(let refusal), _):
            loop.tell(.refusedBy(member, url: address, refusal), about: subject)
            if case .removed = refusal { loop.receiver?.removed(by: member) }
            drop()
            place += 1
            wait(milliseconds: loop.options.refusedMilliseconds, endsOnContact: false)
        case (.failed(let reason), .open(_, let since)):
            if stream == .urgent, let counters = loop.mailbox.counters(of: member) {
                counters.isConnected.store(false, ordering: .relaxed)
                counters.disconnections.add(1, ordering: .relaxed)
            }
            loop.tell(.disconnected(member, stream, reason), about: "\(member) \(stream)")
            drop()
            // One that never lasts is a failure like any other.
            guard NIODeadline.now() - since > .milliseconds(Int64(loop.options.backoffMillisecondsMax)) else {
                return wait(milliseconds: backoff.next(), endsOnContact: true)
            }
            backoff.reset()
            // At once: what is said meanwhile is still fresh then.
            loop.mailbox.openStream(to: member, stream)
            connect()
        case (.failed(let reason), .connecting):
            loop.tell(.unreachable(member, url: address, reason), about: subject)
            drop()
            place += 1
            wait(milliseconds: backoff.next(), endsOnContact: true)
        }
    }

    private func wait(milliseconds: Int, endsOnContact: Bool) {
        pauses += 1
        let pause = pauses
        let timer = loop.eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
            // A timer that was due in the turn that stopped it still runs.
            guard case .waiting = self.state, pause == self.pauses else { return }
            self.connect()
        }
        state = .waiting(timer, endsOnContact: endsOnContact)
    }

    // MARK: Pings

    /// Called once every ping interval.
    func tick(_ now: NIODeadline) {
        guard case .open(let connection, _) = state else { return }
        guard pingSent != nil else {
            pingSent = now
            var buffer = ByteBuffer()
            Frame.append(.ping, payloadBytes: 8, to: &buffer) { $0.add(now.uptimeNanoseconds) }
            return connection.write(buffer)
        }
        let patience = connection.patienceMilliseconds
        if now - connection.lastSign > .milliseconds(Int64(patience)) {
            connection.fail("it gave no sign for \(patience) ms")
        }
    }

    private func ponged() {
        guard let sent = pingSent else { return }
        pingSent = nil
        guard stream == .urgent else { return }
        let nanoseconds = (NIODeadline.now() - sent).nanoseconds
        loop.mailbox.counters(of: member)?.roundTrips.record(UInt64(max(0, nanoseconds)))
    }
}
