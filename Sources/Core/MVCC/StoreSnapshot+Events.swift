internal import StrakeLMDB
internal import StrakeModel
internal import StrakeTables

// Single events by their revision.
extension StoreSnapshot {
    /// Lent from a layer, the map or `buffer`.
    func event(
        at revision: Revision, in txn: borrowing ReadTransaction, buffer: inout RecordBuffer
    ) throws(TableError) -> LentEvent? {
        if let event = layers.event(at: revision) { return LentEvent(pointer: event) }
        return try tables.history.event(at: revision, in: txn, buffer: &buffer).map { LentEvent($0) }
    }

    /// The event that a read found; it must be there.
    func event(
        of state: KeyState, in txn: borrowing ReadTransaction, buffer: inout RecordBuffer
    ) throws(TableError) -> LentEvent {
        if let event = state.memory { return LentEvent(pointer: event) }
        guard let event = try tables.history.event(at: state.entry.modRevision, in: txn, buffer: &buffer) else {
            throw .missingEvent(state.entry.modRevision)
        }
        return LentEvent(event)
    }

    /// The chain link of an event above the compact revision; it must be there.
    func link(at revision: Revision, in txn: borrowing ReadTransaction) throws(TableError) -> ChainLink {
        if let event = layers.event(at: revision) { return event.header.link }
        guard let stored = try tables.history.header(at: revision, in: txn) else { throw .missingEvent(revision) }
        return stored.link
    }
}
