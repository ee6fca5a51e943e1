/// Revisions that somebody still reads at, so that physical compaction stays at or below the lowest.
struct HoldSlots {
    /// `Int64.max` in a free slot. As long as the most holds there ever were at once.
    private var revisions: [Int64] = []
    private var free: [Int] = []

    mutating func take(_ revision: Int64) -> Int {
        guard let slot = free.popLast() else {
            revisions.append(revision)
            return revisions.count - 1
        }
        revisions[slot] = revision
        return slot
    }

    mutating func giveBack(_ slot: Int) {
        precondition(revisions[slot] != .max, "slot \(slot) is given back twice")
        revisions[slot] = .max
        free.append(slot)
    }

    /// `Int64.max` when nothing is held.
    var lowest: Int64 { revisions.min() ?? .max }
}
