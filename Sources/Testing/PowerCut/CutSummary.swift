/// What one cut did to the writes that no sync had covered.
package struct CutSummary: Hashable, Sendable {
    package var unsyncedWrites = 0
    package var lostWrites = 0
    /// Of which some sectors were kept and some lost.
    package var tornWrites = 0

    package init() {}

    package static func += (sum: inout CutSummary, other: CutSummary) {
        sum.unsyncedWrites += other.unsyncedWrites
        sum.lostWrites += other.lostWrites
        sum.tornWrites += other.tornWrites
    }
}
