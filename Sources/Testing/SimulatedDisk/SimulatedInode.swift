internal import StrakeSeededGenerator

/// A file's bytes: those that a power cut leaves, those that a process sees, and the writes between.
final class SimulatedInode {
    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(size: Int)

        /// What of it does not fall into the bounds.
        func outside(_ bounds: Range<Int>) -> [Change] {
            guard case .write(let offset, let bytes) = self, bounds.overlaps(offset..<offset + bytes.count) else {
                return [self]
            }
            let (before, after) = (bounds.lowerBound - offset, bounds.upperBound - offset)
            return [
                before > 0 ? .write(offset: offset, bytes: Array(bytes[..<before])) : nil,
                after < bytes.count ? .write(offset: bounds.upperBound, bytes: Array(bytes[after...])) : nil,
            ].compactMap { $0 }
        }
    }

    static let sectorBytes = 512

    private(set) var visible: [UInt8]
    private var durable: [UInt8]
    /// Since the last sync that succeeded, in order.
    private var pending: [Change] = []
    private var failures: UInt64 = 0

    init(_ bytes: [UInt8] = []) {
        visible = bytes
        durable = bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) {
        pending.append(.write(offset: offset, bytes: bytes))
        Self.apply(offset, bytes, to: &visible)
    }

    /// What was written there is on disk now, and so is the rest of the sectors that it touches. Writes elsewhere are not.
    func syncSectors(_ offset: Int, _ count: Int) {
        guard count > 0 else { return }
        let sectors = Self.sectors(offset, count)
        let bounds = sectors.lowerBound * Self.sectorBytes..<(sectors.upperBound + 1) * Self.sectorBytes
        pending = pending.flatMap { $0.outside(bounds) }
        let range = bounds.clamped(to: 0..<visible.count)
        Self.apply(range.lowerBound, Array(visible[range]), to: &durable)
    }

    func truncate(to size: Int) {
        pending.append(.truncate(size: size))
        Self.resize(&visible, to: size)
    }

    func sync() {
        for change in pending { Self.apply(change, to: &durable) }
        pending = []
    }

    /// Some of what was to be written is. The kernel takes the rest for clean: no later sync writes it, but a process
    /// goes on seeing it.
    func failSync() {
        failures += 1
        var random = SeededGenerator(seed: failures)
        writeBack(&random)
        pending = []
    }

    /// Becomes what the disk has after a power cut.
    func powerCut(_ random: inout SeededGenerator) {
        writeBack(&random)
        pending = []
        visible = durable
    }

    /// Writes some of what is pending.
    private func writeBack(_ random: inout SeededGenerator) {
        switch random.below(8) {
        case 0: break
        case 1: for change in pending { Self.apply(change, to: &durable) }
        case 2...4:
            // In order, up to a moment.
            let count = random.below(pending.count + 1)
            for change in pending[..<count] { Self.apply(change, to: &durable) }
            tear(pending[count...].prefix(1), &random)
        default: tear(pending[...], &random)
        }
    }

    func flipBit(at offset: Int, bit: Int) {
        visible[offset] ^= 1 << bit
        if offset < durable.count { durable[offset] ^= 1 << bit }
    }

    /// Each sector becomes one of the versions that it had in memory, each independently of the others.
    private func tear(_ changes: ArraySlice<Change>, _ random: inout SeededGenerator) {
        var kept: [Int: Int] = [:]
        var touches: [Int: Int] = [:]
        for change in changes {
            guard case .write(let offset, let bytes) = change, !bytes.isEmpty else { continue }
            for sector in Self.sectors(offset, bytes.count) { touches[sector, default: 0] += 1 }
        }
        for sector in touches.keys.sorted() { kept[sector] = random.below((touches[sector] ?? 0) + 1) }
        for change in changes {
            switch change {
            case .truncate(let size): if random.below(2) == 0 { Self.resize(&durable, to: size) }
            case .write(let offset, let bytes):
                guard !bytes.isEmpty else { continue }
                for sector in Self.sectors(offset, bytes.count) {
                    guard let left = kept[sector], left > 0 else { continue }
                    kept[sector] = left - 1
                    let lower = max(offset, sector * Self.sectorBytes)
                    let upper = min(offset + bytes.count, (sector + 1) * Self.sectorBytes)
                    Self.apply(lower, Array(bytes[(lower - offset)..<(upper - offset)]), to: &durable)
                }
            }
        }
    }

    private static func sectors(_ offset: Int, _ count: Int) -> ClosedRange<Int> {
        (offset / sectorBytes)...((offset + count - 1) / sectorBytes)
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let written): apply(offset, written, to: &bytes)
        case .truncate(let size): resize(&bytes, to: size)
        }
    }

    private static func apply(_ offset: Int, _ written: [UInt8], to bytes: inout [UInt8]) {
        if offset + written.count > bytes.count { resize(&bytes, to: offset + written.count) }
        bytes.replaceSubrange(offset..<(offset + written.count), with: written)
    }

    private static func resize(_ bytes: inout [UInt8], to size: Int) {
        if size < bytes.count {
            bytes.removeLast(bytes.count - size)
        } else {
            bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
        }
    }
}
