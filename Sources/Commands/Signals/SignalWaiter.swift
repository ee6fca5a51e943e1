internal import Glibc
internal import Synchronization

/// Waits for SIGINT or SIGTERM. A handler, not a mask: the main thread, once it has nothing more to do, lets every signal
/// through, and would end the process.
package struct SignalWaiter {
    /// The last signal that came.
    private static let received = Atomic<Int32>(0)
    /// Posted by the handler, which may do little else.
    private nonisolated(unsafe) static let semaphore: UnsafeMutablePointer<sem_t> = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        return semaphore
    }()

    package init() {
        signal(SIGPIPE, SIG_IGN)
        // Both are made before a handler can ask for them.
        Self.received.store(0, ordering: .relaxed)
        _ = Self.semaphore
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                SignalWaiter.received.store(number, ordering: .relaxed)
                sem_post(SignalWaiter.semaphore)
            }
        }
    }

    /// Suspends until one of the signals comes.
    package func next() async -> Int32 {
        await withCheckedContinuation { continuation in
            // A thread of its own: waiting would take one of the pool's.
            final class Waiter {
                let continuation: CheckedContinuation<Int32, Never>

                init(_ continuation: CheckedContinuation<Int32, Never>) {
                    self.continuation = continuation
                }
            }
            var thread = pthread_t()
            let waiter = Unmanaged.passRetained(Waiter(continuation)).toOpaque()
            pthread_create(
                &thread, nil,
                { raw in
                    let waiter = Unmanaged<Waiter>.fromOpaque(raw!).takeRetainedValue()
                    while sem_wait(SignalWaiter.semaphore) != 0 {}
                    waiter.continuation.resume(returning: SignalWaiter.received.load(ordering: .relaxed))
                    return nil
                }, waiter)
            pthread_detach(thread)
        }
    }
}
