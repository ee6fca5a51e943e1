internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

/// A frozen layer on its way to the file.
///
/// Crash safe at every point: history goes before the current entries that point at it, the applied index last. What a
/// cut-short run has written is above the revision recorded, so nothing reads it, and writing it again changes nothing.
package final class CheckpointWork: Sendable {
    let record: CheckpointRecord
    private let layer: LayerSnapshot
    private let stateChanges: [StateChange]
    private let tables: StoreTables

    init(_ record: CheckpointRecord, _ layer: LayerSnapshot, _ stateChanges: [StateChange], _ tables: StoreTables) {
        self.record = record
        self.layer = layer
        self.stateChanges = stateChanges
        self.tables = tables
    }

    /// The log is needed no longer up to here once the work is finished.
    package var appliedIndex: UInt64 { record.appliedIndex }
    package var appliedTerm: UInt64 { record.appliedTerm }

    /// A transaction's pages go to the file and are synced: all that it wrote before is in memory.
    package enum CommitPhase: Sendable {
        case begins, ended
    }

    /// Writes and syncs everything; blocks.
    ///
    /// - Parameter onCommit: Told of each transaction's commit, for who has a clock.
    /// - Returns: True when all of it is in the file; false only when `limits` stop it early.
    @discardableResult
    package func run(
        limits: CheckpointLimits = CheckpointLimits(), onCommit: (CommitPhase) -> Void = { _ in }
    ) throws(MVCCError) -> Bool {
        var progress = CheckpointProgress(layer)
        return try MVCCError.storage { () throws(TableError) in
            for _ in 0..<limits.slicesMax {
                let isDone = try tables.environment.write { txn throws(TableError) in
                    var budget = limits.pagesMax * CheckpointProgress.pageBytes
                    guard try progress.write(&budget, tables, in: txn) else { return false }
                    for change in stateChanges { try write(change, in: txn) }
                    try record.write(tables, in: txn)
                    return true
                } willCommit: {
                    onCommit(.begins)
                }
                onCommit(.ended)
                if isDone { return true }
            }
            return false
        }
    }

    private func write(_ change: StateChange, in txn: borrowing WriteTransaction) throws(TableError) {
        if let value = change.value {
            try tables.state.put(change.key, value, in: txn)
        } else {
            _ = try tables.state.delete(change.key, in: txn)
        }
    }
}
