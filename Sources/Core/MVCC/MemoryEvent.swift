package import StrakeModel
package import StrakeTables

/// One applied change that is still in memory. Immutable; keeps its own memory alive and nothing else.
package struct MemoryEvent: @unchecked Sendable {
    // Unchecked: a ManagedBuffer is never Sendable, but nobody writes to this one after it was made.
    let storage: EventStorage

    package var header: EventHeader { storage.header }
    package var revision: Revision { storage.revision }
    /// Good while the event is alive.
    package var key: UnsafeRawBufferPointer { storage.key }
    /// Good while the event is alive.
    package var value: UnsafeRawBufferPointer { storage.value }

    /// A copy. Of a tombstone only the key and the mod revision are set, as a watcher sees it.
    package var keyValue: KeyValue { LentEvent(pointer: .passUnretained(storage)).keyValue }
}
