internal import StrakePeers
internal import StrakeRaft
internal import StrakeStore
internal import Synchronization
internal import Testing

@Suite(.timeLimit(.minutes(5)))
struct SnapshotTests {
    private static let metadata = SnapshotMetadata(
        last: EntryID(term: Term(rawValue: 3), index: LogIndex(rawValue: 99)),
        configuration: Configuration(voters: [MemberID(rawValue: 1), MemberID(rawValue: 2)]))
    /// Both ends' buffers, the kernel's included; its socket buffers grow to 4 MB and 6 MB by default.
    private static let underWayMax = 16 << 20

    private func members(sink: TestSink?) async throws -> (TestMember, TestMember) {
        let members = try await TestMember.open(count: 2)
        members[1].receiver.sink.withLock { $0 = { sink } }
        await members[0].connected(to: members[1].id)
        return (members[0], members[1])
    }

    @Test func `64 MiB arrive whole, with little of it under way`() async throws {
        let progress = TestProgress()
        let source = TestSource(size: 64 << 20, progress: progress)
        let sink = TestSink(progress: progress)
        let (one, two) = try await members(sink: sink)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        #expect(await one.receiver.outcomes.wait(count: 1) == [.delivered])
        #expect(two.receiver.offers.all == [Self.metadata])
        #expect(sink.finishes.all == [64 << 20] && sink.isRight)
        for counters in [one.counters[two.id]?.snapshotsSent, two.counters[one.id]?.snapshotsReceived] {
            #expect(counters?.successes.load(ordering: .relaxed) == 1)
            #expect(counters?.failures.load(ordering: .relaxed) == 0)
            #expect(counters?.inFlight.load(ordering: .relaxed) == 0)
            #expect(counters?.times.cumulative.last == 1)
        }
        await source.cancels.wait(count: 1)
        #expect(sink.cancels.all.isEmpty)
        print("at most \(progress.mostUnderWay) bytes under way")
        #expect(progress.mostUnderWay <= Self.underWayMax)
        one.transport.close()
        two.transport.close()
    }

    @Test func `beside writes of clients a snapshot takes its time`() async throws {
        let size = 8 << 20
        let source = TestSource(size: size, isBesideWrites: true)
        let sink = TestSink(progress: TestProgress())
        let (one, two) = try await members(sink: sink)
        let began = ContinuousClock.now
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        #expect(await one.receiver.outcomes.wait(count: 1) == [.delivered])
        #expect(sink.isRight && sink.bytes == size)
        // Two pieces of 256 KiB less: the first is not held back, and nobody waits behind the last.
        let bytesHeldBack = size - 2 * (256 << 10)
        let least = Duration.seconds(Double(bytesHeldBack) / Double(SnapshotPace.bytesPerSecondBesideWrites))
        #expect(ContinuousClock.now - began >= least)
        one.transport.close()
        two.transport.close()
    }

    @Test func `a sink that stands still holds the source back, and the members' messages go on`() async throws {
        let gate = Gate()
        let progress = TestProgress()
        let source = TestSource(size: 64 << 20, progress: progress)
        let sink = TestSink(progress: progress, gate: gate)
        let (one, two) = try await members(sink: sink)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        // While many messages go to and fro, one after the other: in that time all of it would have been read.
        let rounds = 2_000
        for round in 1...rounds {
            one.transport.send([one.heartbeat(to: two.id, round: UInt64(round))])
            await two.receiver.messages.wait(count: round)
        }
        #expect(progress.bytesRead > 0 && progress.bytesRead <= Self.underWayMax)
        gate.open()
        #expect(await one.receiver.outcomes.wait(count: 1) == [.delivered])
        #expect(sink.isRight && sink.bytes == 64 << 20)
        one.transport.close()
        two.transport.close()
    }

    @Test(arguments: [0, 1, 256 << 10, (256 << 10) + 1])
    func `a snapshot of any size arrives`(size: Int) async throws {
        let sink = TestSink()
        let (one, two) = try await members(sink: sink)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: TestSource(size: size))
        #expect(await one.receiver.outcomes.wait(count: 1) == [.delivered])
        #expect(sink.finishes.all == [size] && sink.isRight)
        one.transport.close()
        two.transport.close()
    }

    @Test(arguments: [true, false])
    func `a sink that fails ends the stream on both sides`(atTheEnd: Bool) async throws {
        let source = TestSource(size: 8 << 20)
        let sink = TestSink(failsAt: atTheEnd ? .max : 2 << 20, failsAtFinish: atTheEnd)
        let (one, two) = try await members(sink: sink)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        #expect(await one.receiver.outcomes.wait(count: 1) == [.failed])
        await sink.cancels.wait(count: 1)
        await source.cancels.wait(count: 1)
        #expect(sink.finishes.all.isEmpty)
        #expect(one.receiver.reasons.all == ["the member reports: TestFailure()"])
        await two.notices.wait { $0.contains(.snapshotFailed(one.id, "TestFailure()")) }
        one.transport.close()
        two.transport.close()
    }

    @Test func `a stream goes on behind what the sink has`() async throws {
        let source = TestSource(size: 8 << 20)
        let broken = TestSink(failsAt: 3 << 20)
        let (one, two) = try await members(sink: broken)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        #expect(await one.receiver.outcomes.wait(count: 1) == [.failed])
        let rest = TestSink(offset: 3 << 20)
        two.receiver.sink.withLock { $0 = { rest } }
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        #expect(await one.receiver.outcomes.wait(count: 2) == [.failed, .delivered])
        #expect(source.resumptions.all == [0, 3 << 20])
        #expect(rest.finishes.all == [8 << 20] && rest.isRight)
        #expect(two.receiver.names.all == [source.name, source.name])
        one.transport.close()
        two.transport.close()
    }

    @Test func `a source that fails ends the stream on both sides`() async throws {
        let source = TestSource(size: 8 << 20, failsAt: 2 << 20)
        let sink = TestSink()
        let (one, two) = try await members(sink: sink)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        #expect(await one.receiver.outcomes.wait(count: 1) == [.failed])
        await sink.cancels.wait(count: 1)
        await source.cancels.wait(count: 1)
        #expect(sink.finishes.all.isEmpty && sink.isRight)
        one.transport.close()
        two.transport.close()
    }

    @Test func `a snapshot that is refused fails`() async throws {
        let source = TestSource(size: 8 << 20)
        let (one, two) = try await members(sink: nil)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        #expect(await one.receiver.outcomes.wait(count: 1) == [.failed])
        await source.cancels.wait(count: 1)
        #expect(one.receiver.reasons.all == ["the member refused it"])
        one.transport.close()
        two.transport.close()
    }

    @Test func `a snapshot for nobody fails`() async throws {
        let source = TestSource(size: 1)
        let one = try await TestMember.open(1)
        one.transport.sendSnapshot(Self.metadata, to: MemberID(rawValue: 7), from: source)
        #expect(await one.receiver.outcomes.wait(count: 1) == [.failed])
        await source.cancels.wait(count: 1)
        one.transport.close()
    }

    @Test func `a member that goes away fails the snapshot`() async throws {
        let gate = Gate()
        let source = TestSource(size: 64 << 20)
        let sink = TestSink(gate: gate)
        let (one, two) = try await members(sink: sink)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: source)
        await two.receiver.offers.wait(count: 1)
        gate.open()
        two.transport.close()
        #expect(await one.receiver.outcomes.wait(count: 1) == [.failed])
        await source.cancels.wait(count: 1)
        #expect(sink.cancels.all.count == 1)
        one.transport.close()
    }

    @Test func `a newer snapshot takes the place of one that is under way`() async throws {
        let gate = Gate()
        let (first, second) = (TestSource(size: 64 << 20), TestSource(size: 1 << 20))
        let (slow, fast) = (TestSink(gate: gate), TestSink())
        let (one, two) = try await members(sink: slow)
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: first)
        await two.receiver.offers.wait(count: 1)
        two.receiver.sink.withLock { $0 = { fast } }
        one.transport.sendSnapshot(Self.metadata, to: two.id, from: second)
        // Only the newer one is reported.
        #expect(await one.receiver.outcomes.wait(count: 1) == [.delivered])
        await first.cancels.wait(count: 1)
        gate.open()
        await slow.cancels.wait(count: 1)
        #expect(fast.finishes.all == [1 << 20] && slow.finishes.all.isEmpty)
        one.transport.close()
        two.transport.close()
        #expect(one.receiver.outcomes.all == [.delivered])
    }
}
