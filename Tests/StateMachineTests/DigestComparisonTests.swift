import StrakeRaft
import StrakeStateMachine
import Testing

struct DigestComparisonTests {
    /// Digests as "index:value", of members 1, 2, and so on; members that are not known have none.
    private struct Case: CustomTestStringConvertible {
        var digests: [String]
        var voters = 3
        var odd: [UInt64] = []
        var isSplit = false
        var isOpen = false

        var testDescription: String { "\(digests)" }
    }

    private static let cases = [
        Case(digests: ["5:1", "5:1", "5:1"]),
        Case(digests: ["5:1", "6:2", "7:3"]),
        Case(digests: ["5:1", "", ""]),
        Case(digests: ["5:1 9:4", "5:1 8:3", "5:2 8:7"], odd: [3]),
        // The leader itself, and a learner.
        Case(digests: ["5:2", "5:1", "5:1"], odd: [1]),
        Case(digests: ["5:1", "5:1", "5:1", "5:2"], odd: [4]),
        Case(digests: ["5:2", "5:1", "5:1", "5:2"], odd: [1, 4]),
        // A majority is one of all voters, and learners do not vote.
        Case(digests: ["5:1", "5:2", ""], isOpen: true),
        Case(digests: ["5:1", "5:2", "", "5:1"], isOpen: true),
        Case(digests: ["5:1 6:3", "5:2 6:4", "6:3"], odd: [2]),
        Case(digests: ["5:1", "5:2"], voters: 2, isSplit: true),
        Case(digests: ["5:1", "5:2", "5:3"], isSplit: true),
        Case(digests: ["5:1", "5:1", "5:2", "5:2"], voters: 5, isOpen: true),
        Case(digests: ["5:1", "5:1", "5:2", "5:2"], voters: 4, isSplit: true),
        Case(digests: ["5:1", "5:1", "5:1", "5:2", "5:3"], voters: 5, odd: [4, 5]),
        Case(digests: ["5:1", "5:1", "5:2", "5:2", "5:3"], voters: 5, isSplit: true),
        Case(digests: ["5:1", "5:2"], voters: 1, odd: [2]),
    ]

    @Test("who differs from the majority of the voters is odd, if there is one", arguments: cases)
    private func comparison(_ item: Case) {
        var digests: [MemberID: [StateDigest]] = [:]
        for (number, text) in item.digests.enumerated() where !text.isEmpty {
            digests[MemberID(rawValue: UInt64(number + 1))] = text.split(separator: " ").map { pair in
                let parts = pair.split(separator: ":").map { UInt64($0)! }
                return StateDigest(index: LogIndex(rawValue: parts[0]), value: parts[1])
            }
        }
        let comparison = DigestComparison(
            of: digests, voters: (1...item.voters).map { MemberID(rawValue: UInt64($0)) })
        #expect(comparison.odd.map(\.rawValue) == item.odd)
        #expect(comparison.isSplit == item.isSplit)
        #expect(comparison.isOpen == item.isOpen)
    }
}
