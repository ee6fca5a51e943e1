import Glibc
internal import StrakeRaft
internal import Testing

/// How many elections it takes until a dead leader has a successor. `STRAKE_ELECTIONS` sets another number of deaths.
struct ElectionRunTests {
    private static let deaths: UInt64 = {
        guard let text = getenv("STRAKE_ELECTIONS").map({ String(cString: $0) }) else { return 2_000 }
        guard let number = UInt64(text), number > 0 else {
            preconditionFailure("STRAKE_ELECTIONS is no number: \(text)")
        }
        return number
    }()

    private static let slow: ClosedRange<Int64> = 1_000...5_000
    private static let quick: ClosedRange<Int64> = 50...500

    /// Where messages are slow, members often stand for election in the same moment. Of three there is then one that stands
    /// back; of five the one that should may be elected by the others before it hears of its rival.
    @Test(arguments: [(3, slow, 0.0), (5, slow, 0.002), (3, quick, 0.0), (5, quick, 0.001)])
    func `a dead leader has a successor after one election, save for a few`(
        voters: Int, message: ClosedRange<Int64>, shareMax: Double
    ) {
        let surroundings = ElectionRun.Surroundings(voters: voters, message: message, flush: 100...2_000)
        var repeated: [UInt64] = []
        var times: [Int64] = []
        for seed in 1...Self.deaths {
            var run = ElectionRun(seed: seed, surroundings)
            guard let outcome = run.killLeader() else {
                Issue.record("seed \(seed): nobody leads")
                continue
            }
            if outcome.rounds > 1 { repeated.append(seed) }
            times.append(outcome.microseconds)
        }
        times.sort()
        let late = times.count { $0 > 20 * ElectionRun.Surroundings.tick }
        print(
            "\(voters) members, messages of \(message) us: \(times.count) deaths, \(repeated.count) took more than one "
                + "election, \(late) more than two election timeouts; p99 \(times[times.count * 99 / 100] / 1_000) ms, "
                + "longest \(times[times.count - 1] / 1_000) ms")
        #expect(Double(repeated.count) <= shareMax * Double(Self.deaths), "seeds \(repeated.prefix(10))")
    }
}
