internal import StrakeFileCalls
internal import StrakeSeededGenerator

/// What a disk may hold of one file after the power failed.
///
/// The kernel writes dirty pages back when it likes, in any order, and a disk keeps sectors whole and nothing larger. So
/// each sector holds what it had at its last sync, or what any later write made of it, independently of the others.
struct DiskImage {
    static let sectorBytes = 512

    private let baseline: [UInt8]
    /// Those on this file, up to the cut.
    var operations: [FileOperation] = []

    init(baseline: [UInt8]) {
        self.baseline = baseline
    }

    /// How the unsynced writes of one cut fare.
    enum Loss {
        case nothing
        case everything
        /// Each write is kept or lost as a whole.
        case writes(keptPercent: UInt64)
        /// Each sector is kept or lost: writes are torn.
        case sectors(keptPercent: UInt64)

        init(_ random: inout SeededGenerator) {
            let percent = [10, 50, 90][Int(random.next() % 3)] as UInt64
            switch random.next() % 8 {
            case 0: self = .nothing
            case 1: self = .everything
            case 2...4: self = .writes(keptPercent: percent)
            default: self = .sectors(keptPercent: percent)
            }
        }
    }

    /// The file's content, with what was lost counted in `summary`.
    func bytes(_ loss: Loss, _ random: inout SeededGenerator, _ summary: inout CutSummary) -> [UInt8] {
        let syncedBefore = syncedBefore()
        // By sector, the last operation that reached the disk. Earlier ones are under it, since all went to one page.
        var reached: [Int: Int] = [:]
        for (index, operation) in operations.enumerated() {
            guard case .write(let bytes, let offset, let isDurable) = operation.kind, !bytes.isEmpty else { continue }
            let sectors = offset / Self.sectorBytes...(offset + bytes.count - 1) / Self.sectorBytes
            if isDurable || operation.sequence < syncedBefore {
                for sector in sectors { reached[sector] = index }
                continue
            }
            let kept = choose(sectors, loss, &random)
            for sector in kept { reached[sector] = index }
            summary.unsyncedWrites += 1
            if kept.isEmpty { summary.lostWrites += 1 } else if kept.count < sectors.count { summary.tornWrites += 1 }
        }
        return replay(reached)
    }

    private func syncedBefore() -> UInt64 {
        operations.reduce(0) { highest, operation in
            if case .sync(let began) = operation.kind { max(highest, began) } else { highest }
        }
    }

    private func choose(_ sectors: ClosedRange<Int>, _ loss: Loss, _ random: inout SeededGenerator) -> [Int] {
        switch loss {
        case .nothing: Array(sectors)
        case .everything: []
        case .writes(let percent): random.next() % 100 < percent ? Array(sectors) : []
        case .sectors(let percent): sectors.filter { _ in random.next() % 100 < percent }
        }
    }

    private func replay(_ reached: [Int: Int]) -> [UInt8] {
        var image = baseline
        for (index, operation) in operations.enumerated() {
            switch operation.kind {
            case .sync, .rename, .remove: break
            case .truncate(let length):
                if length < image.count {
                    image.removeLast(image.count - length)
                } else {
                    image.append(contentsOf: repeatElement(0, count: length - image.count))
                }
            case .write(let bytes, let offset, _):
                var start = 0
                while start < bytes.count {
                    let sector = (offset + start) / Self.sectorBytes
                    let end = min(bytes.count, (sector + 1) * Self.sectorBytes - offset)
                    if let last = reached[sector], index <= last {
                        image.overwrite(at: offset + start, with: bytes[start..<end])
                    }
                    start = end
                }
            }
        }
        return image
    }
}

extension [UInt8] {
    /// As a file does: a write beyond the end leaves zeros between.
    fileprivate mutating func overwrite(at offset: Int, with bytes: ArraySlice<UInt8>) {
        let end = offset + bytes.count
        if count < end { append(contentsOf: repeatElement(0, count: end - count)) }
        replaceSubrange(offset..<end, with: bytes)
    }
}
