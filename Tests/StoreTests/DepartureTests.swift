import StrakeRaft
import StrakeStore
import Testing

/// How long a removed member stays.
struct DepartureTests {
    private let own = MemberID(rawValue: 1)
    private static func id(_ number: UInt64) -> MemberID { MemberID(rawValue: number) }
    private func voters(_ numbers: UInt64...) -> Configuration { Configuration(voters: numbers.map(Self.id)) }
    private static let patience = Departure.patienceMilliseconds

    @Test func `a member that was not removed stays`() {
        var departure = Departure(electionMilliseconds: 100)
        #expect(departure.tick(now: 1_000_000, own: own, voters(1, 2, 3)) == .stay)
        #expect(!departure.hasBegun)
    }

    @Test func `it goes two election timeouts after a majority of those who stay has said that it knows`() {
        var departure = Departure(electionMilliseconds: 100)
        let staying = voters(2, 3, 4)
        departure.applied(now: 0)
        departure.told(by: Self.id(3), now: 10)
        departure.told(by: Self.id(3), now: 20)
        // It is no voter there.
        departure.told(by: Self.id(9), now: 30)
        #expect(departure.tick(now: 5_000, own: own, staying) == .stay)
        departure.told(by: Self.id(2), now: 5_010)
        #expect(departure.tick(now: 5_010, own: own, staying) == .stay)
        #expect(departure.tick(now: 5_209, own: own, staying) == .stay)
        #expect(departure.tick(now: 5_210, own: own, staying) == .leave(knownToMajority: true))
        #expect(departure.tick(now: 5_220, own: own, staying) == .stay)
    }

    @Test func `of two members the one that goes waits for the other, however long it is away`() {
        var departure = Departure(electionMilliseconds: 100)
        departure.applied(now: 0)
        #expect(departure.tick(now: Self.patience - 1, own: own, voters(2)) == .stay)
        #expect(departure.tick(now: Self.patience, own: own, voters(2)) == .stayAndTell)
        #expect(departure.tick(now: 100 * Self.patience, own: own, voters(2)) == .stay)
        departure.told(by: Self.id(2), now: 100 * Self.patience)
        #expect(departure.tick(now: 100 * Self.patience, own: own, voters(2)) == .stay)
        #expect(departure.tick(now: 101 * Self.patience, own: own, voters(2)) == .leave(knownToMajority: true))
    }

    @Test func `a member that was away knows itself as a voter, and does not wait for those who may be gone`() {
        var departure = Departure(electionMilliseconds: 100)
        // By what it has applied it is one of five: two others are not a majority of four.
        departure.told(by: Self.id(2), now: 0)
        departure.told(by: Self.id(3), now: 0)
        #expect(departure.tick(now: Self.patience - 1, own: own, voters(1, 2, 3, 4, 5)) == .stay)
        #expect(departure.tick(now: Self.patience, own: own, voters(1, 2, 3, 4, 5)) == .leave(knownToMajority: false))
    }

    @Test func `a joint configuration needs both halves without it`() {
        var departure = Departure(electionMilliseconds: 100)
        let joint = Configuration(voters: [2, 3, 4].map(Self.id), outgoing: [1, 2, 5].map(Self.id))
        departure.told(by: Self.id(2), now: 0)
        departure.told(by: Self.id(3), now: 0)
        #expect(departure.tick(now: 0, own: own, joint) == .stay)
        #expect(departure.tick(now: 1_000, own: own, joint) == .stay)
        departure.told(by: Self.id(5), now: 1_000)
        #expect(departure.tick(now: 1_000, own: own, joint) == .stay)
        #expect(departure.tick(now: 1_200, own: own, joint) == .leave(knownToMajority: true))
    }

    @Test func `one that is taken in again stays`() {
        var departure = Departure(electionMilliseconds: 100)
        departure.applied(now: 0)
        departure.told(by: Self.id(2), now: 0)
        departure.join()
        #expect(departure.tick(now: 10 * Self.patience, own: own, voters(1, 2)) == .stay)
    }
}
