import StrakeModel
import StrakeSeededGenerator
import StrakeWatching
import Testing

@Suite struct IndexTests {
    private func key(_ random: inout SeededGenerator) -> [UInt8] {
        // Long enough, at times, for the comparison of eight bytes at a time.
        let prefix = Bool.random(using: &random) ? Array("/registry/pods/".utf8) : []
        return prefix
            + (0..<Int.random(in: 0...3, using: &random)).map { _ in [0, 97, 98, 255].randomElement(using: &random)! }
    }

    private func range(_ random: inout SeededGenerator) -> KeyRange {
        while true {
            let lower = key(&random)
            let range =
                Int.random(in: 0..<8, using: &random) == 0
                ? KeyRange(lower: lower, upper: .unbounded)
                : KeyRange(lower: lower, upper: .before(key(&random)))
            if !range.isEmpty { return range }
        }
    }

    @Test("the range index finds what a walk over all ranges finds", arguments: [1, 2, 3] as [UInt64])
    func rangeIndex(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var index = RangeIndex()
        var model: [KeyRange: Int] = [:]
        for step in 0..<4_000 {
            let isGrowing = step % 1_000 < 600
            if isGrowing || model.isEmpty {
                let added = range(&random)
                index.set(added, to: step)
                model[added] = step
            } else {
                let removed = model.keys.sorted { model[$0]! < model[$1]! }.randomElement(using: &random)!
                index.remove(removed)
                model[removed] = nil
            }
            #expect(index.count == model.count)
            let probe = key(&random)
            var found: [Int] = []
            index.collect(probe.span.bytes, into: &found)
            #expect(index.containsAny(around: probe.span.bytes) == !found.isEmpty)
            #expect(found.sorted() == model.filter { $0.key.contains(probe) }.map(\.value).sorted())
            let asked = range(&random)
            #expect(index.value(of: asked) == model[asked])
        }
    }

    @Test func `the key table agrees with a dictionary`() {
        var random = SeededGenerator(seed: 4)
        var table = KeyTable()
        var model: [[UInt8]: Int] = [:]
        for step in 0..<20_000 {
            let changed = key(&random)
            if Bool.random(using: &random) {
                table.set(changed, to: step)
                model[changed] = step
            } else {
                table.remove(changed)
                model[changed] = nil
            }
            #expect(table.count == model.count)
            let asked = key(&random)
            #expect(table.value(of: asked.span.bytes) == model[asked])
        }
    }

    @Test func `a coverage has the keys that one of its ranges has`() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<500 {
            let ranges = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                Bool.random(using: &random) ? range(&random) : .key(key(&random))
            }
            let coverage = KeyCoverage(ranges)
            for _ in 0..<20 {
                let probe = key(&random)
                #expect(coverage.contains(probe.span.bytes) == ranges.contains { $0.contains(probe) })
            }
        }
    }
}
