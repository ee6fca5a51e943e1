internal import StrakeModel
internal import StrakeTables

/// The store at one revision: two layers in memory over LMDB.
///
/// LMDB may be newer than the layers, or hold the start of a checkpoint that a crash cut short. The one reading rule
/// makes that harmless: take the newest known event of the key (active layer, else frozen, else LMDB), and while it is
/// above the revision read at, go to its predecessor.
final class StoreSnapshot: Sendable {
    let layers: Layers
    let tables: StoreTables
    /// The newest main revision.
    let revision: Int64
    let compactRevision: Int64
    /// Keys that live at `revision`.
    let keyCount: Int
    /// Rows of LMDB above it are not seen. Differs from `revision` inside a request that is being applied: its own
    /// changes are in memory, and LMDB may hold the same ones from before a crash.
    let storedRevision: Int64
    /// Counts how often the store was replaced by another member's. History below the compact revision that a read of an
    /// earlier one held is gone.
    let generation: UInt64

    init(
        layers: Layers, tables: StoreTables, revision: Int64, compactRevision: Int64, keyCount: Int,
        storedRevision: Int64? = nil, generation: UInt64
    ) {
        self.layers = layers
        self.tables = tables
        self.revision = revision
        self.compactRevision = compactRevision
        self.keyCount = keyCount
        self.storedRevision = storedRevision ?? revision
        self.generation = generation
    }

    /// A read that goes on in this view at `main`, and began in the store's `generation`.
    func checkResumed(at main: Int64, generation: UInt64) throws(MVCCError) {
        guard generation == self.generation || main >= compactRevision else {
            throw .refused(.compacted(requested: main, compactRevision: compactRevision))
        }
    }

    /// The main revision that a request means: zero or less is the newest.
    func mainRevision(_ requested: Int64) throws(MVCCError) -> Int64 {
        guard requested > 0 else { return revision }
        guard requested <= revision else {
            throw .refused(.futureRevision(requested: requested, current: revision))
        }
        guard requested >= compactRevision else {
            throw .refused(.compacted(requested: requested, compactRevision: compactRevision))
        }
        return requested
    }

    /// The same for a range inside a transaction: zero is the newest. Below zero is the newest too while nothing was ever
    /// compacted; later it is a revision, and compacted (etcd's rule).
    func mainRevision(inTxn requested: Int64) throws(MVCCError) -> Int64 {
        guard requested >= 0 || compactRevision == 0 else {
            throw .refused(.compacted(requested: requested, compactRevision: compactRevision))
        }
        return try mainRevision(requested)
    }
}
