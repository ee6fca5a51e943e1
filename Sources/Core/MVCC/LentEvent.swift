package import StrakeModel
package import StrakeTables

/// One change in memory that somebody else owns: the map's, a buffer's or a layer's. Good inside the call it is lent to.
package struct LentEvent {
    package let header: EventHeader
    package let key: UnsafeRawBufferPointer
    package let value: UnsafeRawBufferPointer

    init(header: EventHeader, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        self.header = header
        self.key = key
        self.value = value
    }

    init(pointer: EventPointer) {
        self.init(header: pointer.header, key: pointer.key, value: pointer.value)
    }

    init(_ view: EventView) {
        self.init(header: view.header, key: view.key, value: view.value)
    }

    /// A copy. Of a tombstone only the key and the mod revision are set, as a watcher sees it.
    package var keyValue: KeyValue {
        KeyValue(
            key: [UInt8](key), createRevision: header.createRevision, modRevision: header.revision.main,
            version: header.version, value: [UInt8](value), lease: header.lease)
    }

    /// What a budget counts for it.
    var bytes: Int { key.count + value.count + MemoryLayout<EventHeader>.size }
}
