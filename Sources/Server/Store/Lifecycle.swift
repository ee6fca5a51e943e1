internal import Synchronization

/// How far the member has come: starting, serving, stopped.
final class Lifecycle: Sendable {
    private let stopped = Atomic(false)
    private let serving = Atomic(false)
    private let leadingTerm = Atomic<UInt64>(0)
    private let servingBell = Doorbell()

    var isStopped: Bool { stopped.load(ordering: .acquiring) }
    var isServing: Bool { serving.load(ordering: .acquiring) }

    private let joined = Atomic(false)

    /// The cluster has had this member since it began, by what it has applied.
    func join() { joined.store(true, ordering: .releasing) }
    var hasJoined: Bool { joined.load(ordering: .acquiring) }

    /// - Returns: This call stopped it.
    func stop() -> Bool {
        let isFirst = !stopped.exchange(true, ordering: .acquiringAndReleasing)
        if isFirst { servingBell.ring() }
        return isFirst
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
