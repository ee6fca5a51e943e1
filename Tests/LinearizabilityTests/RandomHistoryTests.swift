import StrakeLinearizability
import Testing

/// Histories of a store that is right, made by one seed each, and the same histories with one answer changed.
struct RandomHistoryTests {
    @Test(arguments: 0..<8)
    func `histories of a sequential store are linearizable`(batch: Int) {
        for seed in (batch * 50)..<(batch * 50 + 50) {
            var store = RandomStore(seed: UInt64(seed), tellsRevisions: seed % 4 != 0)
            let history = store.history(count: seed % 4 == 0 ? 40 : 150)
            #expect(LinearizabilityCheck().verdict(on: history) == .linearizable, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<8)
    func `a changed answer is refused`(batch: Int) {
        var refused = 0
        for seed in (batch * 25)..<(batch * 25 + 25) {
            var store = RandomStore(seed: UInt64(seed), tellsRevisions: true)
            var history = store.history(count: 150)
            guard let kind = store.spoil(&history) else { continue }
            let verdict = LinearizabilityCheck().verdict(on: history)
            guard case .violation(let violation) = verdict else {
                Issue.record("seed \(seed): \(kind) passed: \(verdict)")
                continue
            }
            refused += 1
            #expect(violation.operations.count <= 20, "seed \(seed): \(kind): \(violation)")
            #expect(
                LinearizabilityCheck().verdict(on: violation.operations) != .linearizable,
                "seed \(seed): the explanation does not stand alone: \(violation)")
        }
        #expect(refused >= 15)
    }
}
