/// A key and its value without their bytes, which stay where they are (the store's map, a layer's block) until they are
/// copied once: what it takes to know the size of an answer, and to write all of it but them.
package struct KeyValueFields: Hashable, Sendable {
    package var keyCount: Int
    /// Zero when only keys were asked for.
    package var valueCount: Int
    package var createRevision: Int64
    package var modRevision: Int64
    package var version: Int64
    package var lease: LeaseID

    @inlinable
    package init(
        keyCount: Int, valueCount: Int, createRevision: Int64, modRevision: Int64, version: Int64, lease: LeaseID
    ) {
        self.keyCount = keyCount
        self.valueCount = valueCount
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.lease = lease
    }
}
