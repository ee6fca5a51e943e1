internal import StrakeLMDB
internal import StrakeModel
package import StrakeTables

/// The revisioned store, as the role that applies committed commands owns it.
///
/// Applying never writes the file: changes go to the active layer, and a checkpoint on another thread writes them out
/// (`freeze`, `CheckpointWork.run`, `finish`). After `.storage` was thrown the store is in no defined state.
package struct RevisionStore: ~Copyable {
    /// What the reads of a transaction may take, in keys and values and what holding them costs.
    package static let txnAnswerBytesMax = 512 << 20

    package let tables: StoreTables
    var publication: Publication
    /// Of the last finished checkpoint.
    var checkpoint: CheckpointRecord
    var reading: LazyTransaction

    /// Changes since the last freeze.
    var active = Layer()
    /// Changes that a checkpoint is writing out.
    var frozen: LayerSnapshot?
    /// Changes of the active layer that readers see.
    private var publishedCount = 0
    /// Where the changes of the last request begin in the active layer.
    var requestStart = 0
    /// Changes made so far by the request that is being applied.
    var changeCount: Int32 = 0

    /// Of all events ever applied, but for the active layer's.
    private var retiredDigest: UInt64

    /// How often the store that readers see was replaced.
    var generation: UInt64 = 0

    /// Newest applied main revision; 1 in an empty store.
    package internal(set) var revision: Int64
    /// Nothing below it can be read any more; zero: never compacted. Physical removal follows behind.
    package internal(set) var compactRevision: Int64

    /// Keys that live at the newest applied revision.
    package internal(set) var keyCount: Int

    /// Opens what the last checkpoint left. Takes the same time whatever the number of keys, but for a file from before
    /// keys were counted: there they are, once.
    ///
    /// The caller then applies the log from `appliedIndex + 1` on, and publishes.
    package init(tables: StoreTables) throws(MVCCError) {
        let checkpoint = try MVCCError.storage { () throws(TableError) in
            try tables.environment.read { txn throws(TableError) in try CheckpointRecord.read(tables, in: txn) }
        }
        let keyCount: Int
        if let counted = checkpoint.keyCount {
            keyCount = counted
        } else {
            keyCount = try Self.countKeys(of: checkpoint, in: tables)
        }
        self.tables = tables
        self.checkpoint = checkpoint
        self.keyCount = keyCount
        revision = checkpoint.revision
        compactRevision = checkpoint.compactRevision
        retiredDigest = checkpoint.digest
        reading = LazyTransaction(tables.environment)
        publication = Publication(Self.stored(tables, checkpoint, keyCount: keyCount))
    }

    /// Hand it to any thread.
    package var reader: Reader { Reader(publication: publication) }
    /// Hand it to the thread that runs checkpoints.
    package var compactor: Compactor { Compactor(publication: publication) }

    /// Raft index of the last command that the last finished checkpoint holds.
    package var appliedIndex: UInt64 { checkpoint.appliedIndex }
    package var appliedTerm: UInt64 { checkpoint.appliedTerm }

    /// The sum of the digests of all events that were ever applied, those that compaction has taken included: stores that
    /// went through the same commands have the same, whatever each has compacted, checkpointed or received as a snapshot.
    package var digest: UInt64 { retiredDigest &+ active.digest }

    /// Takes over the digest of the store that this one was built from.
    mutating func setDigest(_ digest: UInt64) { retiredDigest = digest &- active.digest }

    /// Memory of the changes since the last freeze.
    package var activeBytes: Int { active.bytes }
    /// Memory of all changes that are not in the file yet.
    package var layerBytes: Int { active.bytes + (frozen?.bytes ?? 0) }

    /// Makes all that was applied visible to readers at once, and returns the changes that became visible.
    @discardableResult
    package mutating func publish() -> EventBatch {
        reading.close()
        publication.replace(
            StoreSnapshot(
                layers: Layers(active: active.snapshot(), frozen: frozen), tables: tables, revision: revision,
                compactRevision: compactRevision, keyCount: keyCount, generation: generation))
        let changes = active.events(from: publishedCount)
        publishedCount = active.count
        return changes
    }

    /// Everything applied is published.
    var isPublished: Bool { publishedCount == active.count }

    /// Starts an empty active layer; the old one is returned, for good as it is.
    mutating func retireActiveLayer() -> LayerSnapshot {
        let retired = active.snapshot()
        retiredDigest &+= active.digest
        active = Layer()
        publishedCount = 0
        requestStart = 0
        return retired
    }

    /// Changes of the last request; empty when it changed nothing, and after a freeze.
    package var lastRequestEvents: EventBatch { active.events(from: requestStart) }

    /// Moves the compact revision: reads and watches below it fail from the next publish on.
    ///
    /// - Throws: `.compacted` when it is there already, `.futureRevision` above the newest revision.
    package mutating func compact(through revision: Int64) throws(MVCCError) {
        guard revision > compactRevision else {
            throw .refused(.compacted(requested: revision, compactRevision: compactRevision))
        }
        guard revision <= self.revision else {
            throw .refused(.futureRevision(requested: revision, current: self.revision))
        }
        compactRevision = revision
        requestStart = active.count
    }
}
