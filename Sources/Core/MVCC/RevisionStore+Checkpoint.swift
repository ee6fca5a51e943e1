extension RevisionStore {
    /// A checkpoint was begun and is not finished.
    package var isCheckpointing: Bool { frozen != nil }

    /// Begins a checkpoint of everything applied: run the work on another thread, then `finish` it here.
    ///
    /// Everything must be published before. `stateChanges` are written in the same transaction as the applied index; keys
    /// that start with "mvcc/" are this store's own.
    /// - Returns: Nil while a checkpoint is unfinished, and when there is nothing to write.
    package mutating func freeze(
        appliedIndex: UInt64, appliedTerm: UInt64, stateChanges: [StateChange]
    ) -> CheckpointWork? {
        if isCheckpointing { return nil }
        let record = CheckpointRecord(
            appliedIndex: appliedIndex, appliedTerm: appliedTerm, revision: revision, compactRevision: compactRevision,
            digest: digest, keyCount: keyCount)
        if record == checkpoint && stateChanges.isEmpty { return nil }
        precondition(isPublished, "a freeze before what was applied is published")
        precondition(appliedIndex >= checkpoint.appliedIndex, "the applied index falls to \(appliedIndex)")
        let retired = retireActiveLayer()
        frozen = retired
        // Readers must know the compact revision before the file does: compaction goes by the file's.
        publish()
        return CheckpointWork(record, retired, stateChanges, tables)
    }

    /// Ends the checkpoint that was begun last, after its `run` returned: what it wrote is read from the file now.
    ///
    /// The layer's memory is freed by whoever lets go last: keep `work` on the other thread.
    package mutating func finish(_ work: CheckpointWork) {
        precondition(isCheckpointing, "no checkpoint to finish")
        checkpoint = work.record
        frozen = nil
        // The transaction may be older than what was written.
        reading.close()
        // Not `publish`: that would show what the caller has not told anybody of yet.
        let seen = publication.current
        publication.replace(
            StoreSnapshot(
                layers: Layers(active: seen.layers.active, frozen: nil), tables: tables, revision: seen.revision,
                compactRevision: seen.compactRevision, keyCount: seen.keyCount, generation: seen.generation))
    }
}
