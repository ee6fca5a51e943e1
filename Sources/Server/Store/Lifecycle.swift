internal import Synchronization

/// How far the member has come: starting, serving, stopped.
final class Lifecycle: Sendable {
    private let stopped = Atomic(false)
    private let serving = Atomic(false)
    private let leadingTerm = Atomic<UInt64>(0)
    private let servingBell = Doorbell()

    var isStopped: Bool { stopped.load(ordering: .acquiring) }
    var isServing: Bool { serving.load(ordering: .acquiring) }

    private let hasLeft = Atomic(false)
    private let joined = Atomic(false)

    /// The cluster has this member. One that was removed is back when it was made a cluster of its own.
    func join() {
        joined.store(true, ordering: .releasing)
        hasLeft.store(false, ordering: .releasing)
    }
    var hasJoined: Bool { joined.load(ordering: .acquiring) }

    /// The cluster has removed this member.
    func leave() { hasLeft.store(true, ordering: .releasing) }
    var isRemoved: Bool { hasLeft.load(ordering: .acquiring) }

    /// - Returns: This call stopped it.
    func stop() -> Bool {
        let isFirst = !stopped.exchange(true, ordering: .acquiringAndReleasing)
        if isFirst { servingBell.ring() }
        return isFirst
    }

    private let ticksLeft = Atomic<Int>(-1)

    /// Runs the body once, some ticks after the first call.
    func countDown(from ticks: Int, _ body: () -> Void) {
        let left = ticksLeft.load(ordering: .relaxed)
        ticksLeft.store(left < 0 ? ticks : left == 0 ? 0 : left - 1, ordering: .relaxed)
        if left == 1 { body() }
    }

    private let closing = Atomic(false)

    /// The clock's thread is to end.
    var isClosing: Bool { closing.load(ordering: .acquiring) }
    func close() { closing.store(true, ordering: .releasing) }

    /// - Returns: The term is new: what a new leader does once is to be done.
    func beginLeading(_ term: UInt64) -> Bool {
        leadingTerm.exchange(term, ordering: .acquiringAndReleasing) != term
    }

    /// This member has begun to lead in the term, and does not serve yet.
    func awaitsLeading(_ term: UInt64) -> Bool {
        !isServing && leadingTerm.load(ordering: .acquiring) == term
    }

    func markServing() {
        serving.store(true, ordering: .releasing)
        servingBell.ring()
    }

    /// Waits for the first leadership, or for the stop that came before it.
    func waitUntilServing() {
        while !isServing, !isStopped { servingBell.wait() }
    }
}
