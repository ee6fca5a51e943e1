internal import StrakePeers
internal import StrakeRaft
internal import StrakeStore
internal import Synchronization
internal import Testing

@Suite(.timeLimit(.minutes(5)))
struct AskTests {
    private func ask(_ member: TestMember, _ other: MemberID, _ request: [UInt8]) async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            member.transport.ask(other, request) { continuation.resume(returning: $0) }
        }
    }

    @Test(arguments: [0, 1, 16 << 10, (16 << 10) + 1, 3 << 20])
    func `a question of any size is answered`(size: Int) async throws {
        let members = try await TestMember.open(count: 2)
        let request = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        #expect(await ask(members[0], members[1].id, request) == request.reversed())
        for member in members { member.transport.close() }
    }

    @Test func `many questions at once get their own answers`() async throws {
        let members = try await TestMember.open(count: 2)
        let answers = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2_000 {
                let request = [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8), 9]
                let (one, two) = (members[number % 2], members[1 - number % 2])
                group.addTask { await ask(one, two.id, request) == request.reversed() }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(answers == 2_000)
        for member in members { member.transport.close() }
    }

    @Test func `an answer may be nothing`() async throws {
        let members = try await TestMember.open(count: 2)
        members[1].receiver.answer.withLock { $0 = { _, answer in answer(nil) } }
        #expect(await ask(members[0], members[1].id, [1]) == nil)
        members[1].receiver.answer.withLock { $0 = { _, answer in answer([]) } }
        #expect(await ask(members[0], members[1].id, [1]) == [])
        for member in members { member.transport.close() }
    }

    @Test func `a question without an answer ends in time, and a late answer is dropped`() async throws {
        let members = try await TestMember.open(count: 2) { $0.askMilliseconds = 2_000 }
        let asked = Events<@Sendable ([UInt8]?) -> Void>()
        members[1].receiver.answer.withLock { $0 = { _, answer in asked.add(answer) } }
        let began = ContinuousClock.now
        #expect(await ask(members[0], members[1].id, [1]) == nil)
        #expect(ContinuousClock.now - began >= .milliseconds(2_000))
        let late = await asked.wait(count: 1)[0]
        late([2])
        late([3])
        // The stream still serves.
        members[1].receiver.answer.withLock { $0 = { _, answer in answer([4]) } }
        #expect(await ask(members[0], members[1].id, [1]) == [4])
        for member in members { member.transport.close() }
    }

    @Test func `nobody there is an answer at once`() async throws {
        let raw = try await RawPeer.open(2, .refuses(.busy))
        let one = try await TestMember.open(1) { $0.askMilliseconds = 1_000_000 }
        #expect(await ask(one, raw.id, [1]) == nil)
        one.transport.update([raw.peer])
        // Refused, then down: neither waits for the time to pass.
        #expect(await ask(one, raw.id, [1]) == nil)
        #expect(await ask(one, raw.id, [1]) == nil)
        one.transport.close()
        #expect(await ask(one, raw.id, [1]) == nil)
        try await raw.close()
    }

    @Test func `questions under way end with the connection, and with the transport`() async throws {
        let members = try await TestMember.open(count: 3) { $0.askMilliseconds = 1_000_000 }
        let asked = Events<Bool>()
        for member in members { member.receiver.answer.withLock { $0 = { _, _ in asked.add(true) } } }
        async let first = ask(members[0], members[1].id, [1])
        async let second = ask(members[0], members[2].id, [1])
        await asked.wait(count: 2)
        members[1].transport.close()
        #expect(await first == nil)
        members[0].transport.close()
        #expect(await second == nil)
        members[2].transport.close()
    }
}
