package import StrakeModel
package import StrakeTables

/// One change of a key as another program wrote it down: all that it says, and nothing of how we store it.
package struct ImportedEvent: Hashable, Sendable {
    package var revision: Revision
    package var isTombstone: Bool
    /// Of a tombstone the key counts only.
    package var keyValue: KeyValue

    package init(revision: Revision, isTombstone: Bool, keyValue: KeyValue) {
        self.revision = revision
        self.isTombstone = isTombstone
        self.keyValue = keyValue
    }

    /// An event of a store of ours, without its place there.
    package init(_ event: EventRecord) {
        let header = event.header
        self.init(
            revision: header.revision, isTombstone: header.isTombstone,
            keyValue: KeyValue(
                key: event.key, createRevision: header.createRevision, modRevision: header.revision.main,
                version: header.version, value: event.value, lease: header.lease))
    }
}
