internal import Synchronization

/// Keeps the history that reads at a revision need from physical removal, even when compaction passes the revision.
///
/// Pages stay in use as long as it is held, so the holder bounds the time. Dropping it releases it.
package final class RangeHold: Sendable {
    package let revision: Int64

    private let publication: Publication
    private let slot: Mutex<Int?>

    init(revision: Int64, _ publication: Publication, slot: Int) {
        self.revision = revision
        self.publication = publication
        self.slot = Mutex(slot)
    }

    deinit { release() }

    /// Reads at the revision may fail from now on. Harmless to call again.
    package func release() {
        let held = slot.withLock { slot in
            defer { slot = nil }
            return slot
        }
        if let held { publication.close(held) }
    }
}
