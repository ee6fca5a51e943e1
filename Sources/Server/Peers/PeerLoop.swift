internal import NIOCore
internal import NIOPosix
internal import StrakeRaft
internal import StrakeStore

/// Everything that lives on the peers' event loop: the members, and who is connected. Called there only.
final class PeerLoop: @unchecked Sendable {
    /// Connections of others; further ones are closed at once.
    static let incomingMax = 1_024
    /// Members connected to us that we do not know of.
    static let guestsMax = 16
    /// Removed members remembered, to tell them; the oldest are forgotten.
    static let removedMax = 1_024

    let eventLoop: any EventLoop
    let options: PeerOptions
    let mailbox: Mailbox
    let snapshotThreads: SnapshotThreads
    private(set) var receiver: (any TransportReceiver)?
    private var members: [MemberID: RemoteMember] = [:]
    private var removed: [MemberID] = []
    private var incoming: [UInt64: IncomingConnection] = [:]
    private var incomingCount: UInt64 = 0
    private var notices = NoticeFilter()
    private var askTimer: Scheduled<Void>?
    /// Connections whose host name is being looked up, or that are made after that.
    private var lookups = 0
    private var lookupsEnded: EventLoopPromise<Void>?
    private var ticker: RepeatedTask?
    /// Of clients, as counted at each tick.
    private(set) var writes = WriteRate()

    init(eventLoop: any EventLoop, options: PeerOptions, mailbox: Mailbox, snapshotThreads: SnapshotThreads) {
        self.eventLoop = eventLoop
        self.options = options
        self.mailbox = mailbox
        self.snapshotThreads = snapshotThreads
    }

    func start(_ receiver: any TransportReceiver) {
        self.receiver = receiver
        let interval = TimeAmount.milliseconds(Int64(options.pingMilliseconds))
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in self.tick() }
    }

    /// Ends every connection and lets the receiver go.
    func close() {
        ticker?.cancel()
        askTimer?.cancel()
        for answer in mailbox.close() { answer(nil) }
        for member in members.values { member.close() }
        for connection in Array(incoming.values) { connection.close() }
        members = [:]
        incoming = [:]
        receiver = nil
    }

    func awaitLookup(_ connected: EventLoopFuture<any Channel>) {
        lookups += 1
        connected.whenComplete { _ in
            self.lookups -= 1
            if self.lookups == 0 { self.lookupsEnded?.succeed() }
        }
    }

    /// When no look-up is under way any more; none begins after `close`.
    func afterLookups() -> EventLoopFuture<Void> {
        guard lookups > 0 else { return eventLoop.makeSucceededVoidFuture() }
        let ended = lookupsEnded ?? eventLoop.makePromise()
        lookupsEnded = ended
        return ended.futureResult
    }

    /// Carries out what was posted.
    func drain() {
        let mail = mailbox.open()
        if let peers = mail.peers { update(peers) }
        for answer in mail.failedAsks { answer(nil) }
        for reply in mail.replies { incoming[reply.connection]?.reply(reply) }
        for member in mail.lostEntries { receiver?.unreachable(member) }
        // What must not wait goes to everybody first.
        for member in members.values { member.urgent.pump() }
        for member in members.values { member.bulk.pump() }
        if let deadline = mail.askDeadline { expireAsks(at: deadline) }
    }

    func tell(_ notice: PeerNotice, about subject: String) {
        if notices.admits(notice, about: subject) { options.onNotice(notice) }
    }

    func forgetNotices(about subject: String) { notices.forget(subject) }

    private func tick() {
        let now = NIODeadline.now()
        if let receiver { writes.add(receiver.writesOfClients, at: Int64(clamping: now.uptimeNanoseconds)) }
        for member in members.values { member.tick(now) }
        for connection in Array(incoming.values) { connection.tick(now) }
    }

    /// Wakes up when the oldest question runs out, unless it does already.
    private func expireAsks(at deadline: NIODeadline) {
        guard askTimer == nil else { return }
        askTimer = eventLoop.scheduleTask(deadline: deadline) {
            self.askTimer = nil
            for answer in self.mailbox.expireAsks(at: .now()) { answer(nil) }
            // Looks for the next deadline.
            self.drain()
        }
    }

    // MARK: Members

    func hello(to member: MemberID, _ stream: StreamKind) -> Hello {
        Hello(
            stream: stream, cluster: options.cluster, from: options.member, to: member, urls: options.advertisedURLs)
    }

    private func update(_ peers: [Peer]) {
        let listed = Set(peers.map(\.id))
        for member in Array(members.values) where !member.isGuest && !listed.contains(member.id) {
            if removed.count >= Self.removedMax { removed.removeFirst() }
            removed.append(member.id)
            drop(member)
        }
        removed.removeAll { listed.contains($0) }
        for peer in peers where peer.id != options.member {
            let urls = usable(peer.urls, of: peer.id)
            if let known = members[peer.id] {
                known.isGuest = false
                known.update(urls)
            } else {
                add(RemoteMember(peer.id, urls: urls, isGuest: false, loop: self))
            }
        }
    }

    private func usable(_ texts: [String], of member: MemberID) -> [PeerURL] {
        texts.compactMap { text in
            do throws(PeerURL.Problem) {
                return try PeerURL(text)
            } catch {
                tell(.badURL(member, error.description), about: "URL \(member) \(text)")
                return nil
            }
        }
    }

    private func add(_ member: RemoteMember) {
        members[member.id] = member
        member.start()
    }

    private func drop(_ member: RemoteMember) {
        members[member.id] = nil
        member.close()
        for connection in Array(incoming.values) where connection.sender == member.id { connection.close() }
    }

    // MARK: Connections of others

    /// A number for a new connection; nil when there are too many.
    func add(_ connection: IncomingConnection) -> UInt64? {
        guard incoming.count < Self.incomingMax else { return nil }
        incomingCount += 1
        incoming[incomingCount] = connection
        return incomingCount
    }

    func remove(_ number: UInt64, from sender: MemberID?) {
        incoming[number] = nil
        guard let sender, let member = members[sender] else { return }
        member.incomingCount -= 1
        guard member.isGuest, member.incomingCount == 0 else { return }
        members[sender] = nil
        member.close()
        for answer in mailbox.removeGuest(sender) { answer(nil) }
    }

    /// Whether the sender of the greeting is let in. If so it counts as connected.
    func judge(_ hello: Hello) -> (HelloAnswer.Verdict, Refusal?) {
        guard hello.cluster == options.cluster else {
            return (.wrongCluster, .cluster(theirs: hello.cluster, ours: options.cluster))
        }
        guard hello.to == options.member else {
            return (.wrongMember, .member(wanted: hello.to, found: options.member))
        }
        guard hello.from != options.member else { return (.malformed, .malformed("it has this member's own id")) }
        guard !removed.contains(hello.from) else { return (.removed, .removed(hello.from)) }
        // A list of members that still waits to be looked at may have it: a guest's queues would go when it becomes one.
        if members[hello.from] == nil { drain() }
        if members[hello.from] == nil, !admitGuest(hello) { return (.busy, .busy) }
        guard let member = members[hello.from] else { return (.busy, .busy) }
        member.incomingCount += 1
        member.contacted()
        return (.accepted, nil)
    }

    /// A member that has fallen behind may hear from one that joined meanwhile, and must be able to answer it.
    private func admitGuest(_ hello: Hello) -> Bool {
        guard members.values.count(where: \.isGuest) < Self.guestsMax else { return false }
        mailbox.addGuest(hello.from)
        add(RemoteMember(hello.from, urls: usable(hello.urls, of: hello.from), isGuest: true, loop: self))
        return true
    }

    // MARK: Snapshots

    func sendSnapshot(_ metadata: SnapshotMetadata, to id: MemberID, from source: any SnapshotSource) {
        guard let member = members[id], let url = member.urgent.url else {
            snapshotThreads.submit { source.cancel() }
            receiver?.snapshotEnded(
                id, name: source.name, .failed, reason: "it is not known where to reach the member")
            return
        }
        // One that is still under way is for nothing: raft does not wait for it any more.
        member.snapshot?.abandon()
        let sender = SnapshotSender(metadata, to: id, from: source, loop: self)
        member.snapshot = sender
        sender.start(url)
    }

    func snapshotEnded(_ sender: SnapshotSender, _ outcome: SnapshotOutcome, reason: String?) {
        if members[sender.member]?.snapshot === sender { members[sender.member]?.snapshot = nil }
        receiver?.snapshotEnded(sender.member, name: sender.name, outcome, reason: reason)
    }
}
