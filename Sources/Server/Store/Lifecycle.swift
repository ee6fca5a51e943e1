internal import Synchronization

/// How far the member has come: starting, serving, stopped.
final class Lifecycle: Sendable {
    private let stopped = Atomic(false)
    private let serving = Atomic(false)
    private let leadingTerm = Atomic<UInt64>(0)
    private let servingBell = Doorbell()

    var isStopped: Bool { stopped.load(ordering: .acquiring) }
    var isServing: Bool { serving.load(ordering: .acquiring) }

    /// - Returns: This call stopped it.
    func stop() -> Bool {
        let isFirst = !stopped.exchange(true, ordering: .acquiringAndReleasing)
        if isFirst { servingBell.ring() }
        return isFirst
    }

    /// - Returns: The term is new: what a new leader does once is to be done.
    func beginLeading(_ term: UInt64) -> Bool {
        leadingTerm.exchange(term, ordering: .acquiringAndReleasing) != term
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
