internal import StrakeLog
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import Testing

struct EntryIndexTests {
    /// An index that keeps everything in one array.
    private struct Model {
        var start = EntryID.zero
        var entries: [(id: EntryID, sequence: UInt64, bytes: Range<Int>)] = []

        var last: EntryID { entries.last?.id ?? start }
    }

    @Test(arguments: UInt64(0)..<40)
    func `agrees with an array whatever is appended, cut and removed`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var index = EntryIndex(start: .zero)
        var model = Model()
        var sequences: [UInt64] = [1]
        var position = 100
        for _ in 0..<400 {
            let sequence = sequences[sequences.count - 1]
            switch random.below(10) {
            case 0:
                sequences.append(sequence + 1)
                position = 100
            case 1:
                let kept = random.below(model.entries.count + 1)
                model.entries.removeLast(model.entries.count - kept)
                index.cut(after: model.last.index)
                // Records that are none of the index's business.
                position += 40
            case 2:
                let limit = LogIndex(
                    rawValue: model.start.index.rawValue + UInt64(random.below(model.entries.count + 1)))
                let count = index.removable(of: sequences, through: limit)
                let removed = Set(sequences[..<count])
                guard let through = sequences[..<count].last else { continue }
                #expect(model.entries.allSatisfy { !removed.contains($0.sequence) || $0.id.index <= limit })
                index.removeSegments(through: through)
                sequences.removeFirst(count)
                while let first = model.entries.first, removed.contains(first.sequence) {
                    model.start = model.entries.removeFirst().id
                }
            default:
                for _ in 0..<random.below(6) {
                    let term = Term(rawValue: model.last.term.rawValue + (random.below(5) == 0 ? 1 : 0))
                    let id = EntryID(term: term, index: model.last.index + 1)
                    let bytes = position..<(position + 8 * (random.below(20) + 3))
                    position = bytes.upperBound + (random.below(4) == 0 ? 48 : 0)
                    model.entries.append((id, sequence, bytes))
                    index.append(id, sequence: sequence, bytes: bytes)
                }
            }
            check(index, model, &random)
        }
    }

    private func check(_ index: EntryIndex, _ model: Model, _ random: inout SeededGenerator) {
        #expect(index.start == model.start)
        #expect(index.last == model.last)
        #expect(index.term(at: model.start.index) == model.start.term)
        #expect(index.term(at: model.last.index + 1) == nil)
        for entry in model.entries { #expect(index.term(at: entry.id.index) == entry.id.term) }
        guard !model.entries.isEmpty else { return }
        let from = random.below(model.entries.count)
        let through = from + random.below(model.entries.count - from)
        let limit = random.below(1_500)
        let slices = index.slices(
            from: model.entries[from].id.index, through: model.entries[through].id.index, limitBytes: limit)
        var next = from
        for slice in slices {
            #expect(slice.first == model.entries[next].id.index)
            let last = model.entries[next + slice.count - 1]
            #expect(slice.bytes.lowerBound == model.entries[next].bytes.lowerBound)
            #expect(slice.bytes.upperBound >= last.bytes.upperBound)
            #expect(model.entries[next..<(next + slice.count)].allSatisfy { $0.sequence == slice.sequence })
            next += slice.count
        }
        #expect(next > from && next <= through + 1)
        let bytes = slices.reduce(0) { $0 + $1.bytes.count }
        #expect(bytes <= limit || next == from + 1)
    }

    @Test func `the longest prefix within the limit is taken, across segments`() {
        var index = EntryIndex(start: entryID(1, 10))
        index.append(entryID(1, 11), sequence: 1, bytes: 100..<200)
        index.append(entryID(1, 12), sequence: 1, bytes: 200..<300)
        index.append(entryID(2, 13), sequence: 2, bytes: 50..<150)
        let (from, through) = (LogIndex(rawValue: 11), LogIndex(rawValue: 13))
        func counts(_ limit: Int) -> [Int] {
            index.slices(from: from, through: through, limitBytes: limit).map(\.count)
        }
        #expect(counts(0) == [1])
        #expect(counts(199) == [1])
        #expect(counts(200) == [2])
        #expect(counts(299) == [2])
        #expect(counts(300) == [2, 1])
    }
}
