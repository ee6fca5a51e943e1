internal import StrakeChecksum
package import StrakeModel

/// What one change of a key stores, without the key and the value.
package struct EventHeader: Hashable, Sendable {
    /// The row's key; not stored twice, but part of the checksum.
    package var revision: Revision
    package var isTombstone: Bool
    /// Zero in a tombstone, as `version` and `lease`.
    package var createRevision: Int64
    package var version: Int64
    package var lease: LeaseID
    /// The key's event before this one, zero for none. It crosses deletes: a re-created key points at its tombstone.
    package var previous: Revision
    package var link: ChainLink
    package var keyCount: Int
    package var valueCount: Int
    /// CRC-32C of the key's and of the value's bytes; set with the counts, when the bytes are at hand.
    package var keyChecksum: UInt32 = 0
    package var valueChecksum: UInt32 = 0

    package init(
        revision: Revision, isTombstone: Bool = false, createRevision: Int64, version: Int64, lease: LeaseID = .none,
        previous: Revision = .zero, link: ChainLink = .first, keyCount: Int = 0, valueCount: Int = 0
    ) {
        self.revision = revision
        self.isTombstone = isTombstone
        self.createRevision = createRevision
        self.version = version
        self.lease = lease
        self.previous = previous
        self.link = link
        self.keyCount = keyCount
        self.valueCount = valueCount
    }

    /// The row that attaches the key to its lease, if it names one.
    package var leaseRow: LeaseRow? { lease == .none ? nil : LeaseRow(lease: lease, revision: revision) }

    /// Takes counts and checksums from the bytes that the event stores.
    package mutating func describe(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        precondition(key.count <= UInt32.max && value.count <= UInt32.max, "an event of \(value.count) bytes")
        keyCount = key.count
        valueCount = value.count
        keyChecksum = CRC32C.checksum(key)
        valueChecksum = CRC32C.checksum(value)
    }
}
