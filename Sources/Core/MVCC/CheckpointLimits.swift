/// Bounds of the transactions that write a checkpoint.
package struct CheckpointLimits: Sendable {
    /// Pages that one transaction changes, about. LMDB keeps at most 131,071 in its list before it spills.
    package var pagesMax = 32_000
    /// Transactions after which `run` stops as if the process had died there. For tests.
    package var slicesMax = Int.max

    package init() {}
}
