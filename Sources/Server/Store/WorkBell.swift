internal import Glibc
internal import Synchronization

/// A doorbell for a thread that waits for work and for nothing else. A thread that wakes up from a condition asks the
/// kernel once more when it gives the mutex back; one that wakes up from a semaphore does not.
final class WorkBell: @unchecked Sendable {
    // It needs a fixed address for its whole life.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let rung = Atomic(false)

    init() {
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// Rings while nobody waits are remembered as one.
    func ring() {
        if !rung.exchange(true, ordering: .acquiringAndReleasing) { sem_post(semaphore) }
    }

    /// Waits for a ring and takes it. What was there to do before the ring is seen afterwards.
    func wait() {
        while sem_wait(semaphore) != 0 { precondition(errno == EINTR, "errno \(errno)") }
        // With it all rings that came since the first: they did not post.
        _ = rung.exchange(false, ordering: .acquiringAndReleasing)
    }
}
