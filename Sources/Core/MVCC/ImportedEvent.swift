package import StrakeModel

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
}
