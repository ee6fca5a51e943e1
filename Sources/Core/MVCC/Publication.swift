internal import StrakeModel
internal import Synchronization

/// What readers see, handed from the apply role to any thread.
///
/// The snapshot and the holds share one lock, and that is what makes holds safe: a reader's hold is there before
/// compaction looks for the lowest, or the reader's snapshot already refuses what compaction takes.
final class Publication: Sendable {
    private struct State {
        var snapshot: StoreSnapshot
        var holds = HoldSlots()
    }

    private let state: Mutex<State>

    init(_ snapshot: StoreSnapshot) {
        state = Mutex(State(snapshot: snapshot))
    }

    var current: StoreSnapshot { state.withLock { $0.snapshot } }

    func replace(_ snapshot: StoreSnapshot) {
        // The old one may be the last reference to many nodes: it goes outside the lock.
        let old = state.withLock { state in
            let old = state.snapshot
            state.snapshot = snapshot
            return old
        }
        withExtendedLifetime(old) {}
    }

    /// The snapshot, with all that can be read in it held until `close`.
    func open() -> (StoreSnapshot, slot: Int) {
        state.withLock { state in
            (state.snapshot, state.holds.take(state.snapshot.compactRevision))
        }
    }

    func close(_ slot: Int) {
        state.withLock { $0.holds.giveBack(slot) }
    }

    /// Holds what a read at `requested` needs; zero or less is the newest revision.
    func hold(at requested: Int64) throws(MVCCError) -> RangeHold {
        let (snapshot, slot) = open()
        defer { close(slot) }
        return take(at: try snapshot.mainRevision(requested))
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
