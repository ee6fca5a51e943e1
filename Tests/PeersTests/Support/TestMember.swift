internal import StrakePeers
internal import StrakeRaft
internal import StrakeStore
internal import Synchronization
internal import Testing

/// The store's side of a transport: writes down what it is told.
final class TestReceiver: TransportReceiver {
    let messages = Events<Message>()
    let unreachable = Events<MemberID>()
    let outcomes = Events<SnapshotOutcome>()
    /// Who said that this member was removed.
    let removals = Events<MemberID>()
    /// Why snapshots failed.
    let reasons = Events<String>()
    let offers = Events<SnapshotMetadata>()
    let names = Events<UInt64>()
    /// Gives the sink for an offered snapshot.
    let sink = Mutex<@Sendable () -> TestSink?>({ nil })
    /// Answers a question; by default with the question turned round.
    let answer = Mutex<@Sendable ([UInt8], @escaping @Sendable ([UInt8]?) -> Void) -> Void>({ $1($0.reversed()) })

    /// What a stranger hears that asks for the cluster.
    let described = Mutex<ClusterDescription?>(nil)

    var clusterDescription: ClusterDescription? { described.withLock { $0 } }

    func received(_ messages: [Message]) { self.messages.add(messages) }
    func unreachable(_ member: MemberID) { unreachable.add(member) }

    func snapshotOffered(_ metadata: SnapshotMetadata, name: UInt64, by member: MemberID) -> (any SnapshotSink)? {
        offers.add(metadata)
        names.add(name)
        return sink.withLock { $0 }()
    }

    func removed(by member: MemberID) { removals.add(member) }
    func snapshotEnded(_ member: MemberID, name: UInt64, _ outcome: SnapshotOutcome, reason: String?) {
        if let reason { reasons.add(reason) }
        outcomes.add(outcome)
    }

    func asked(_ request: [UInt8], by member: MemberID, answer: @escaping @Sendable ([UInt8]?) -> Void) {
        self.answer.withLock { $0 }(request, answer)
    }
}

/// A transport on a free port of 127.0.0.1 with its receiver. Close it at the end.
struct TestMember {
    let id: MemberID
    let transport: PeerTransport
    let receiver = TestReceiver()
    let notices: Events<PeerNotice>
    let isSecure: Bool

    static func open(
        _ id: UInt64, cluster: UInt64 = 0xc1, port: Int = 0, _ configure: (inout PeerOptions) -> Void = { _ in }
    ) async throws -> TestMember {
        let notices = Events<PeerNotice>()
        let listens = try PeerURL("http://127.0.0.1:\(port)")
        // A port that is not known yet cannot be told to others: such a member is listed by those that answer it.
        var options = PeerOptions(
            cluster: cluster, member: MemberID(rawValue: id), listenURLs: [listens],
            advertisedURLs: port == 0 ? [] : [listens.text])
        options.onNotice = { notices.add($0) }
        // Beside tests that need all of the machine, whoever greets or answers may be slow.
        options.handshakeMilliseconds = 60_000
        options.silenceMilliseconds = 60_000
        configure(&options)
        let transport = try await PeerTransport.open(options)
        let member = TestMember(
            id: options.member, transport: transport, notices: notices, isSecure: options.listenURLs[0].isSecure)
        print("member \(id) at \(member.url)")
        transport.start(member.receiver)
        return member
    }

    var port: Int { transport.ports[0] }
    var url: String { (isSecure ? "https" : "http") + "://127.0.0.1:\(port)" }
    var peer: Peer { Peer(id: id, urls: [url]) }

    /// Members that know each other, and are connected. What is sent before may be lost: one that has not been told of the
    /// other yet takes it for a guest, and lets go of what waits for a guest when that becomes a member.
    static func open(count: Int, _ configure: (inout PeerOptions) -> Void = { _ in }) async throws -> [TestMember] {
        var members: [TestMember] = []
        for id in 1...count { members.append(try await open(UInt64(id), configure)) }
        for member in members { member.transport.update(members.map(\.peer)) }
        for member in members {
            for other in members where other.id != member.id { await member.connected(to: other.id) }
        }
        return members
    }

    /// Waits until both streams to the member are there.
    func connected(to other: MemberID) async {
        await notices.wait(for: .connected(other, .urgent))
        await notices.wait(for: .connected(other, .bulk))
    }

    var counters: [MemberID: PeerCounters] {
        Dictionary(uniqueKeysWithValues: transport.counters.map { ($0.member, $0.counters) })
    }

    // MARK: Messages

    func heartbeat(to other: MemberID, round: UInt64) -> Message {
        Message(
            from: id, to: other, term: Term(rawValue: 1), body: .heartbeat(.init(committed: .zero, round: round)))
    }

    /// An append of one entry, at this index.
    func append(to other: MemberID, index: UInt64, bytes: Int = 10) -> Message {
        let data = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes)
        let entry = Entry(
            id: EntryID(term: Term(rawValue: 1), index: LogIndex(rawValue: index)), kind: .command, data: data)
        let previous = EntryID(term: Term(rawValue: index == 1 ? 0 : 1), index: LogIndex(rawValue: index - 1))
        return Message(
            from: id, to: other, term: Term(rawValue: 1),
            body: .append(.init(previous: previous, entries: [entry], committed: .zero)))
    }
}

extension [Message] {
    var rounds: [UInt64] {
        compactMap { if case .heartbeat(let heartbeat) = $0.body { heartbeat.round } else { nil } }
    }

    /// Indexes of the appended entries.
    var indexes: [UInt64] {
        flatMap { message -> [UInt64] in
            if case .append(let append) = message.body { append.entries.map(\.index.rawValue) } else { [] }
        }
    }
}
