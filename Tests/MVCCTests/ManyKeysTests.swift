import StrakeMVCC
import StrakeModel
import StrakeSeededGenerator
import Testing

/// Enough keys in memory for trees of several levels, in every order and with every kind of neighbour.
struct ManyKeysTests {
    enum Shape: CaseIterable {
        /// Short keys of few different bytes: prefixes of each other, zeros at the end.
        case crowded
        /// Long common beginnings, as in a control plane.
        case paths
        /// Ascending, as a counter makes them.
        case ascending
        /// Descending.
        case descending
    }

    private static let writeCount = 12_000

    private static func key(_ shape: Shape, _ number: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        switch shape {
        case .crowded:
            let count = Int.random(in: 1...12, using: &generator)
            return (0..<count).map { _ in [0, 1, 0xFF].randomElement(using: &generator)! }
        case .paths:
            let space = Int.random(in: 0..<30, using: &generator)
            let kind = ["pods", "podsets", "events", "leases"].randomElement(using: &generator)!
            return "/registry/\(kind)/namespace-\(space)/name-\(Int.random(in: 0..<500, using: &generator))".bytes
        case .ascending: return "key \(1_000_000 + number)".bytes
        case .descending: return "key \(9_000_000 - number)".bytes
        }
    }

    @Test(arguments: Shape.allCases)
    func `keys are found and ordered in every snapshot`(shape: Shape) throws {
        let fixture = try StoreFixture()
        var generator = SeededGenerator(seed: 11)
        var expected: [[UInt8]: [UInt8]] = [:]
        func write() throws(MVCCError) {
            for number in 0..<Self.writeCount {
                let key = Self.key(shape, number + expected.count, &generator)
                let value = generator.bytes(count: 3)
                expected[key] = value
                _ = try fixture.store.put(PutRequest(key: key, value: value)) { _ in true }
                if number % 100 == 0 { fixture.publish() }
            }
            fixture.publish()
        }
        try write()
        let first = expected
        try fixture.reader.withView { view throws(MVCCError) in
            try write()
            let second = expected
            try fixture.reader.withView { newer throws(MVCCError) in
                try write()
                try compare(&newer, second, &generator)
            }
            try compare(&view, first, &generator)
        }
        try fixture.reader.withView { view throws(MVCCError) in try compare(&view, expected, &generator) }
        try fixture.checkpoint()
        try fixture.reader.withView { view throws(MVCCError) in try compare(&view, expected, &generator) }
    }

    private func compare(
        _ view: inout ReadView, _ expected: [[UInt8]: [UInt8]], _ generator: inout SeededGenerator
    ) throws(MVCCError) {
        let sorted = expected.keys.sorted { $0.precedes($1) }
        let all = try view.range(RangeRequest(range: KeyRange(lower: [0], upper: .unbounded)))
        #expect(all.keyValues.map(\.key) == sorted)
        #expect(all.keyValues.allSatisfy { expected[$0.key] == $0.value })
        for _ in 0..<300 {
            let lower = Int.random(in: 0..<sorted.count, using: &generator)
            let upper = Int.random(in: lower..<min(lower + 70, sorted.count), using: &generator)
            // From just after a key to just after another.
            let range = KeyRange(lower: sorted[lower] + [0], upper: .before(sorted[upper] + [0]))
            let found = try view.range(RangeRequest(range: range)).keyValues.map(\.key)
            let wanted = sorted[lower...upper].filter { range.contains($0) }
            if found != wanted { Issue.record("\(range): \(found) is not \(wanted)") }
            let one = try view.keyValue(sorted[upper])
            if one?.value != expected[sorted[upper]] { Issue.record("\(sorted[upper])") }
            let absent = sorted[upper] + [7]
            if expected[absent] == nil, try view.keyValue(absent) != nil { Issue.record("\(absent) is there") }
        }
    }
}
