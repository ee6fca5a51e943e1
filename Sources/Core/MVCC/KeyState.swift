internal import StrakeTables

/// The event of a key that a read found, with the way to its value.
struct KeyState {
    /// The event's fields. May be a tombstone's.
    let entry: CurrentEntry
    /// Where the event is in memory. Nil: in history, at `entry.modRevision`.
    let memory: EventPointer?

    init(stored entry: CurrentEntry) {
        self.entry = entry
        memory = nil
    }

    init(memory event: EventPointer) {
        entry = CurrentEntry(event.header)
        memory = event
    }

    var isAlive: Bool { !entry.isTombstone }
}
