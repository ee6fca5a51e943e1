internal import NIOCore
internal import StrakeFuzzing
internal import StrakePeers
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import StrakeSockets
internal import StrakeStore
internal import Synchronization
internal import Testing

@Suite(.timeLimit(.minutes(5)))
struct ConnectionTests {
    private let one = MemberID(rawValue: 1)
    private let two = MemberID(rawValue: 2)

    /// Sends until something arrives: while streams are made, what is sent may be lost.
    private func deliver(from sender: TestMember, to receiver: TestMember) async {
        var round: UInt64 = 1 << 32
        while receiver.receiver.messages.all.rounds.allSatisfy({ $0 < 1 << 32 }) {
            sender.transport.send([sender.heartbeat(to: receiver.id, round: round)])
            round += 1
            await Task.yield()
        }
    }

    @Test func `a member that restarts is found again, and what was said meanwhile is dropped`() async throws {
        let first = try await TestMember.open(1)
        var second = try await TestMember.open(2)
        let port = second.port
        first.transport.update([second.peer])
        second.transport.update([first.peer])
        await first.connected(to: two)
        first.transport.send([first.heartbeat(to: two, round: 1)])
        await second.receiver.messages.wait(count: 1)
        second.transport.close()

        await first.notices.wait { notices in
            notices.contains { if case .unreachable(self.two, _, _) = $0 { true } else { false } }
        }
        await first.receiver.unreachable.wait(for: two)
        await first.notices.wait { notices in
            notices.contains { if case .disconnected(self.two, .urgent, _) = $0 { true } else { false } }
        }
        let counters = try #require(first.counters[two])
        #expect(counters.isConnected.load(ordering: .relaxed) == false)
        // One more where it was connected again while the other had not closed all.
        #expect(counters.disconnections.load(ordering: .relaxed) >= 1)
        first.transport.send([first.append(to: two, index: 1), first.heartbeat(to: two, round: 2)])
        let connections = first.notices.all.count { $0 == .connected(two, .urgent) }

        second = try await TestMember.open(2, port: port)
        second.transport.update([first.peer])
        await first.notices.wait { $0.count { $0 == .connected(self.two, .urgent) } > connections }
        #expect(counters.isConnected.load(ordering: .relaxed) == true)
        first.transport.send([first.heartbeat(to: two, round: 3)])
        let received = await second.receiver.messages.wait(count: 1)
        #expect(received.rounds == [3] && received.indexes == [])
        first.transport.close()
        second.transport.close()
    }

    @Test func `URLs are tried in turn`() async throws {
        let second = try await TestMember.open(2)
        let gone = try await TestMember.open(3)
        let dead = gone.url
        gone.transport.close()
        let first = try await TestMember.open(1)
        first.transport.update([Peer(id: two, urls: ["unix://127.0.0.1:1", dead, second.url])])
        await first.connected(to: two)
        let notices = first.notices.all
        #expect(notices.contains(.unreachable(two, url: dead, "connection refused")))
        #expect(
            notices.contains { if case .badURL(two, let text) = $0 { text.contains("the scheme unix") } else { false } }
        )
        first.transport.close()
        second.transport.close()
    }

    @Test func `a member at a new URL is connected there`() async throws {
        let old = try await TestMember.open(2)
        let new = try await TestMember.open(2)
        let first = try await TestMember.open(1)
        first.transport.update([old.peer])
        await first.connected(to: two)
        first.transport.update([new.peer])
        await deliver(from: first, to: new)
        for member in [old, new, first] { member.transport.close() }
    }

    @Test func `a member that we do not know of is heard and answered`() async throws {
        // It tells its URL, so its port has to be known beforehand.
        let probe = try await TestMember.open(9)
        let port = probe.port
        probe.transport.close()
        let first = try await TestMember.open(1, port: port)
        let second = try await TestMember.open(2)
        first.transport.update([second.peer])
        first.transport.send([first.heartbeat(to: two, round: 5)])
        await second.receiver.messages.wait(count: 1)
        second.transport.send([second.heartbeat(to: one, round: 6)])
        let received = await first.receiver.messages.wait(count: 1)
        #expect(received.rounds == [6])
        // Listed now, it stays.
        second.transport.update([first.peer])
        second.transport.send([second.heartbeat(to: one, round: 7)])
        #expect(await first.receiver.messages.wait(count: 2).rounds == [6, 7])
        first.transport.close()
        second.transport.close()
    }

    @Test func `a removed member is told so`() async throws {
        let members = try await TestMember.open(count: 2) { $0.refusedMilliseconds = 10 }
        let (first, second) = (members[0], members[1])
        await first.connected(to: two)
        await second.connected(to: one)
        second.transport.update([])
        let refusal = PeerNotice.refusedBy(two, url: second.url, .removed(one))
        await first.notices.wait(for: refusal)
        // Both streams, again and again.
        #expect(await first.receiver.removals.wait(count: 3).allSatisfy { $0 == two })
        // Taken in again, it is welcome.
        second.transport.update([first.peer])
        await deliver(from: first, to: second)
        for member in members { member.transport.close() }
    }

    @Test func `another cluster's member is refused, and both sides say so`() async throws {
        let first = try await TestMember.open(1, cluster: 0xc1)
        let second = try await TestMember.open(2, cluster: 0xc2)
        first.transport.update([second.peer])
        await first.notices.wait(
            for: .refusedBy(two, url: second.url, .cluster(theirs: 0xc2, ours: 0xc1)))
        await second.notices.wait(for: .refused(address: "127.0.0.1", .cluster(theirs: 0xc1, ours: 0xc2)))
        first.transport.send([first.heartbeat(to: two, round: 1)])
        #expect(second.receiver.messages.all.isEmpty)
        first.transport.close()
        second.transport.close()
    }

    @Test(arguments: [
        (HelloAnswer.Verdict.wrongCluster, Refusal.cluster(theirs: 0xc1, ours: 0xc1)),
        (.wrongMember, .member(wanted: MemberID(rawValue: 2), found: MemberID(rawValue: 2))),
        (.removed, .removed(MemberID(rawValue: 1))), (.busy, .busy),
    ])
    func `a refusal is told once however often it is met`(verdict: HelloAnswer.Verdict, refusal: Refusal) async throws {
        let raw = try await RawPeer.open(2, .refuses(verdict))
        let first = try await TestMember.open(1) { $0.refusedMilliseconds = 5 }
        first.transport.update([raw.peer])
        await raw.hellos.wait(count: 12)
        #expect(first.notices.all == [.refusedBy(two, url: raw.url, refusal)])
        first.transport.close()
        try await raw.close()
    }

    private func hello(cluster: UInt64 = 0xc1, from: UInt64 = 2, to: UInt64 = 1) -> Hello {
        Hello(
            stream: .urgent, cluster: cluster, from: MemberID(rawValue: from), to: MemberID(rawValue: to),
            urls: ["http://127.0.0.1:1"])
    }

    private func answer(to bytes: [UInt8], of member: TestMember) async throws -> HelloAnswer {
        let answer = try await RawClient.exchange(bytes, port: member.port)
        return try answer.withUnsafeBytes { try HelloAnswer(decoding: $0) }
    }

    @Test func `whoever is refused hears why, and the operator once`() async throws {
        let member = try await TestMember.open(1)
        var later = hello().encoded()
        later[8] = 7
        var damaged = hello().encoded()
        damaged[20] ^= 1
        let cases: [([UInt8], HelloAnswer.Verdict, Refusal?)] = [
            (hello(cluster: 9).encoded(), .wrongCluster, .cluster(theirs: 9, ours: 0xc1)),
            (hello(to: 5).encoded(), .wrongMember, .member(wanted: MemberID(rawValue: 5), found: one)),
            (hello(from: 1).encoded(), .malformed, .malformed("it has this member's own id")),
            (later, .unknownVersion, .version(theirs: 7)),
            (damaged, .malformed, nil),
        ]
        for (bytes, verdict, refusal) in cases {
            for _ in 0..<3 {
                let answer = try await answer(to: bytes, of: member)
                #expect(answer.verdict == verdict && answer.cluster == 0xc1 && answer.member == one)
            }
            guard let refusal else { continue }
            #expect(member.notices.all.count { $0 == .refused(address: "127.0.0.1", refusal) } == 1)
        }
        member.transport.close()
    }

    @Test func `who says nothing is let go`() async throws {
        let member = try await TestMember.open(1) { $0.handshakeMilliseconds = 50 }
        #expect(try await RawClient.exchange([], port: member.port).isEmpty)
        #expect(try await RawClient.exchange(Array(hello().encoded().prefix(20)), port: member.port).isEmpty)
        #expect(member.notices.all.count == 1)
        member.transport.close()
    }

    @Test func `a damaged frame ends its connection and nothing else`() async throws {
        let members = try await TestMember.open(count: 2)
        let (first, second) = (members[0], members[1])
        await second.connected(to: one)
        var bytes = hello().encoded()
        var frame = ByteBuffer()
        Frame.append(.ask, payloadBytes: 9, to: &frame) { writer in
            writer.add(UInt64(1))
            writer.add(UInt8(2))
        }
        bytes += frame.readableBytesView
        bytes[bytes.count - 1] ^= 1
        let answer = try await RawClient.exchange(bytes, port: first.port)
        #expect(try answer.withUnsafeBytes { try HelloAnswer(decoding: $0) }.verdict == .accepted)
        #expect(first.notices.all.contains { "\($0)".contains("damaged frame") })
        second.transport.send([second.heartbeat(to: one, round: 4)])
        #expect(await first.receiver.messages.wait(count: 1).rounds == [4])
        for member in members { member.transport.close() }
    }

    @Test func `damaged conversations end, and the member goes on`() async throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged conversations"))
        let member = try await TestMember.open(1) { options in
            options.handshakeMilliseconds = 50
            options.pingMilliseconds = 2
        }
        let corpus = (0..<60).map { _ in conversation(&random) }
        let damage = Damage(corpus: corpus)
        for _ in 0..<300 {
            var bytes = corpus[random.below(corpus.count)]
            damage.apply(to: &bytes, &random)
            _ = try await RawClient.exchange(bytes, port: member.port)
        }
        let other = try await TestMember.open(3)
        other.transport.update([member.peer])
        await deliver(from: other, to: member)
        member.transport.close()
        other.transport.close()
    }

    /// What a member might say on a connection, of any kind.
    private func conversation(_ random: inout SeededGenerator) -> [UInt8] {
        var greeting = hello()
        greeting.stream = StreamKind.allCases[random.below(3)]
        var frames = ByteBuffer(bytes: greeting.encoded())
        if greeting.stream == .snapshot {
            let metadata = RandomMessages.metadata(&random)
            Frame.append(.snapshotBegin, payloadBytes: MessageCodec.encodedSize(metadata), to: &frames) {
                MessageCodec.encode(metadata, to: &$0)
            }
            Frame.append(.snapshotPiece, payloadBytes: 8, to: &frames) { $0.add(random.next()) }
        }
        for _ in 0..<random.below(6) {
            let message = RandomMessages.message(&random)
            Frame.append(.message, payloadBytes: MessageCodec.encodedSize(message), to: &frames) {
                MessageCodec.encode(message, to: &$0)
            }
            Frame.append(.ask, payloadBytes: 16, to: &frames) { writer in
                writer.add(random.next())
                writer.add(random.next())
            }
        }
        return [UInt8](frames.readableBytesView)
    }

    @Test func `no more than sixteen members that we do not know of are let in`() async throws {
        let member = try await TestMember.open(100)
        var guests: [TestMember] = []
        for id in 1...17 {
            let guest = try await TestMember.open(UInt64(id))
            guests.append(guest)
            guest.transport.update([member.peer])
            if id <= 16 { await guest.connected(to: member.id) }
        }
        await guests[16].notices.wait(for: .refusedBy(member.id, url: member.url, .busy))
        for guest in guests { guest.transport.close() }
        member.transport.close()
    }

    @Test func `a port that is taken is told`() async throws {
        let member = try await TestMember.open(1)
        let error = await #expect(throws: ListenError.self) {
            try await TestMember.open(2, port: member.port)
        }
        #expect(error?.description == "cannot listen for members at \(member.url): address already in use")
        member.transport.close()
    }
}
