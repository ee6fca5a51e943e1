internal import StrakePeers
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import StrakeStore
internal import Synchronization
internal import Testing

@Suite(.timeLimit(.minutes(5)))
struct MessageTests {
    /// On a busy machine a member may be silent for longer than real ones are given, and what is under way is lost then.
    private func patiently(_ options: inout PeerOptions) {
        options.connectMilliseconds = 60_000
        options.handshakeMilliseconds = 60_000
        options.silenceMilliseconds = 60_000
    }

    @Test func `messages go both ways, and each stream keeps its order`() async throws {
        let members = try await TestMember.open(count: 2, patiently)
        let (one, two) = (members[0], members[1])
        let count: UInt64 = 3_000
        for number in 1...count {
            one.transport.send([
                one.append(to: two.id, index: number, bytes: 200), one.heartbeat(to: two.id, round: number),
            ])
            two.transport.send([
                two.heartbeat(to: one.id, round: number), two.append(to: one.id, index: number, bytes: 200),
            ])
        }
        for member in members {
            let messages = await member.receiver.messages.wait(count: Int(count) * 2)
            #expect(messages.rounds == Array(1...count))
            #expect(messages.indexes == Array(1...count))
            let other = member.id == one.id ? two.id : one.id
            #expect(messages.allSatisfy { $0.from == other && $0.to == member.id })
        }
        for member in members { member.transport.close() }
    }

    @Test func `what is sent before a connection is there waits for it`() async throws {
        let (one, two) = (try await TestMember.open(1, patiently), try await TestMember.open(2, patiently))
        let count: UInt64 = 1_000
        one.transport.update([one.peer, two.peer])
        for number in 1...count { one.transport.send([one.append(to: two.id, index: number, bytes: 200)]) }
        #expect(await two.receiver.messages.wait(count: Int(count)).indexes == Array(1...count))
        for member in [one, two] { member.transport.close() }
    }

    @Test func `every kind of message arrives as it was sent`() async throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "sent messages"))
        let members = try await TestMember.open(count: 2, patiently)
        let sent = (0..<300).map { RandomMessages.message(kind: $0 % RandomMessages.kinds, &random) }
        members[0].transport.send(sent)
        let received = await members[1].receiver.messages.wait(count: sent.count)
        #expect(Set(received) == Set(sent))
        for member in members { member.transport.close() }
    }

    @Test func `a large message goes in one piece, and one above the bound is told and left out`() async throws {
        let members = try await TestMember.open(count: 2) { $0.frameBytesMax = 8 << 20 }
        let (one, two) = (members[0], members[1])
        one.transport.send([
            one.append(to: two.id, index: 1, bytes: 8 << 20), one.append(to: two.id, index: 2, bytes: 7 << 20),
        ])
        let received = await two.receiver.messages.wait(count: 1)
        #expect(received == [one.append(to: two.id, index: 2, bytes: 7 << 20)])
        let told = await one.notices.wait { $0.contains { if case .oversized = $0 { true } else { false } } }
        #expect(told.contains { if case .oversized(two.id, _, max: 8 << 20) = $0 { true } else { false } })
        for member in members { member.transport.close() }
    }

    @Test func `heartbeats do not wait for a stream of entries that is not read`() async throws {
        let raw = try await RawPeer.open(2, .readsUrgentOnly)
        let one = try await TestMember.open(1) { $0.silenceMilliseconds = 60_000 }
        one.transport.update([raw.peer])
        await one.connected(to: raw.id)
        one.transport.send((1...20).map { one.append(to: raw.id, index: $0, bytes: 1 << 20) })
        one.transport.send([one.heartbeat(to: raw.id, round: 1)])
        await raw.frames.wait(for: .message)
        #expect(one.transport.bytesWaiting(for: raw.id) > 0)
        one.transport.close()
        try await raw.close()
    }

    @Test func `a member that does not read costs bounded memory, and the others go on`() async throws {
        let bound = 4 << 20
        let raw = try await RawPeer.open(3, .readsNothing)
        let one = try await TestMember.open(1) { options in
            options.bulkBounds = QueueBounds(bytes: bound, count: 10_000)
            options.silenceMilliseconds = 60_000
        }
        let two = try await TestMember.open(2)
        two.transport.update([one.peer])
        one.transport.update([two.peer, raw.peer])
        await one.connected(to: two.id)
        await one.connected(to: raw.id)
        let rounds: UInt64 = 1_000
        var most = 0
        for number in 1...rounds {
            one.transport.send([
                one.append(to: raw.id, index: number, bytes: 64 << 10), one.append(to: two.id, index: number),
                one.heartbeat(to: two.id, round: number),
            ])
            most = max(most, one.transport.bytesWaiting(for: raw.id))
        }
        let received = await two.receiver.messages.wait(count: Int(rounds) * 2)
        #expect(received.indexes == Array(1...rounds) && received.rounds == Array(1...rounds))
        // Raft hears that what it sent ahead is lost.
        await one.receiver.unreachable.wait(for: raw.id)
        #expect(most <= bound && most > bound / 2)
        #expect(one.counters[raw.id]?.sendFailures.load(ordering: .relaxed) ?? 0 > 0)
        #expect(one.counters[two.id]?.sendFailures.load(ordering: .relaxed) == 0)
        one.transport.close()
        two.transport.close()
        try await raw.close()
    }

    @Test func `a proposal that is dropped is told of, like entries`() async throws {
        let raw = try await RawPeer.open(2, .readsNothing)
        let one = try await TestMember.open(1) { $0.bulkBounds = QueueBounds(bytes: 4 << 20, count: 10_000) }
        one.transport.update([raw.peer])
        await one.connected(to: raw.id)
        #expect(one.receiver.unreachable.all.isEmpty)
        // More than the queue, the connection and the kernel hold.
        let command = [UInt8](repeating: 1, count: 1 << 20)
        for number in 1...60 {
            let body = Message.Body.propose([.command(command)], BatchID(session: 1, number: UInt64(number)))
            one.transport.send([Message(from: one.id, to: raw.id, term: Term(rawValue: 1), body: body)])
        }
        #expect(one.counters[raw.id]?.sendFailures.load(ordering: .relaxed) ?? 0 > 0)
        await one.receiver.unreachable.wait(for: raw.id)
        one.transport.close()
        try await raw.close()
    }

    @Test func `a connection that gives no sign of life is given up, though the kernel takes what is sent`()
        async throws
    {
        let raw = try await RawPeer.open(2, .readsNothing)
        let one = try await TestMember.open(1) { options in
            options.silenceMilliseconds = 200
            options.pingMilliseconds = 50
        }
        one.transport.update([raw.peer])
        await one.connected(to: raw.id)
        one.transport.send([one.heartbeat(to: raw.id, round: 1)])
        let notices = await one.notices.wait { notices in
            notices.contains { if case .disconnected(_, .urgent, _) = $0 { true } else { false } }
        }
        #expect(notices.contains(.disconnected(raw.id, .urgent, "it gave no sign for 200 ms")))
        await raw.hellos.wait { $0.count { $0.stream == .urgent } >= 2 }
        one.transport.close()
        try await raw.close()
    }

    @Test func `round trips and bytes are counted`() async throws {
        let members = try await TestMember.open(count: 2) { $0.pingMilliseconds = 20 }
        let (one, two) = (members[0], members[1])
        one.transport.send([one.append(to: two.id, index: 1, bytes: 5_000)])
        await two.receiver.messages.wait(count: 1)
        let counters = try #require(one.counters[two.id])
        while counters.roundTrips.cumulative.last == 0 { await Task.yield() }
        #expect(counters.roundTrips.sum > 0)
        #expect(counters.bytesSent.load(ordering: .relaxed) > 5_000)
        #expect(try #require(two.counters[one.id]).bytesReceived.load(ordering: .relaxed) > 5_000)
        for member in members { member.transport.close() }
    }
}
