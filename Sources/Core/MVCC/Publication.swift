internal import StrakeModel
internal import Synchronization

/// What readers see, handed from the apply role to any thread.
///
/// The snapshot and the holds share one lock, and that is what makes holds safe: a reader's hold is there before
/// compaction looks for the lowest, or the reader's snapshot already refuses what compaction takes.
final class Publication: Sendable {
    /// A box, so that handing it out counts one reference.
    final class Box: Sendable {
        let snapshot: StoreSnapshot

        init(_ snapshot: StoreSnapshot) { self.snapshot = snapshot }
    }

    private struct State {
        var box: Box
        var holds = HoldSlots()
    }

    private let state: Mutex<State>

    init(_ snapshot: StoreSnapshot) {
        state = Mutex(State(box: Box(snapshot)))
    }

    var current: Box { state.withLock { $0.box } }

    func replace(_ snapshot: StoreSnapshot) {
        let box = Box(snapshot)
        // The old one may be the last reference to many nodes: it goes outside the lock.
        let old = state.withLock { state in
            let old = state.box
            state.box = box
            return old
        }
        withExtendedLifetime(old) {}
    }

    /// The snapshot, with all that can be read in it held until `close`.
    func open() -> (Box, slot: Int) {
        state.withLock { state in
            (state.box, state.holds.take(state.box.snapshot.compactRevision))
        }
    }

    func close(_ slot: Int) {
        state.withLock { $0.holds.giveBack(slot) }
    }

    /// Holds what a read at `requested` needs; zero or less is the newest revision.
    func hold(at requested: Int64) throws(MVCCError) -> RangeHold {
        let (box, slot) = open()
        defer { close(slot) }
        return take(at: try box.snapshot.mainRevision(requested))
    }

    /// The same where the caller holds that revision already, as a view does.
    func take(at main: Int64) -> RangeHold {
        RangeHold(revision: main, self, slot: state.withLock { $0.holds.take(main) })
    }

    /// The highest revision, at most `wanted`, that history may be physically compacted to now and at any later time.
    ///
    /// `wanted` is at most the published compact revision.
    func compactionLimit(_ wanted: Int64) -> Int64 {
        state.withLock { min(wanted, $0.holds.lowest) }
    }
}
