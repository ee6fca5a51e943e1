package import StrakeModel

/// What `current` knows of a key: its newest event, without the value.
package struct CurrentEntry: Hashable, Sendable {
    package var modRevision: Revision
    /// The newest event is a delete. The key stays until compaction, or old reads would have no start.
    package var isTombstone: Bool
    package var createRevision: Int64
    package var version: Int64
    package var lease: LeaseID
    package var valueCount: Int
    /// Of the event at `modRevision`, so that the key's next event needs no look-up to get its own.
    package var link: ChainLink

    package init(
        modRevision: Revision, isTombstone: Bool = false, createRevision: Int64, version: Int64,
        lease: LeaseID = .none, valueCount: Int = 0, link: ChainLink = .first
    ) {
        self.modRevision = modRevision
        self.isTombstone = isTombstone
        self.createRevision = createRevision
        self.version = version
        self.lease = lease
        self.valueCount = valueCount
        self.link = link
    }

    package init(_ header: EventHeader) {
        self.init(
            modRevision: header.revision, isTombstone: header.isTombstone, createRevision: header.createRevision,
            version: header.version, lease: header.lease, valueCount: header.valueCount, link: header.link)
    }
}
