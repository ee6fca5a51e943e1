internal import StrakeModel
internal import StrakeTables

// How many keys there are. Applying keeps the number; it is counted where nobody has.
extension RevisionStore {
    /// What a checkpoint has left in the file.
    static func stored(_ tables: StoreTables, _ checkpoint: CheckpointRecord, keyCount: Int) -> StoreSnapshot {
        StoreSnapshot(
            layers: Layers(active: Layer().view, frozen: nil), tables: tables, revision: checkpoint.revision,
            compactRevision: checkpoint.compactRevision, keyCount: keyCount, generation: 0)
    }

    /// - Complexity: O(keys)
    static func countKeys(of checkpoint: CheckpointRecord, in tables: StoreTables) throws(MVCCError) -> Int {
        var reading = LazyTransaction(tables.environment)
        let snapshot = stored(tables, checkpoint, keyCount: 0)
        return try MVCCError.storage { () throws(TableError) in try snapshot.countKeys(reading: &reading) }
    }

    /// Counts the keys of events that were not applied one by one.
    ///
    /// - Complexity: O(keys)
    mutating func countKeys() throws(MVCCError) {
        let snapshot = snapshot
        let count = try MVCCError.storage { () throws(TableError) in try snapshot.countKeys(reading: &reading) }
        keyCount = count
    }
}

extension StoreSnapshot {
    fileprivate func countKeys(reading: inout LazyTransaction) throws(TableError) -> Int {
        var count = 0
        try scan(.all, at: .max, reading: &reading) { _, _, _ throws(TableError) in
            count += 1
            return true
        }
        return count
    }
}
