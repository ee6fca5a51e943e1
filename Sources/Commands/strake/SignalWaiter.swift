internal import Glibc

/// Waits for SIGINT or SIGTERM. Made before any other thread, so that all of them leave the signals to it.
struct SignalWaiter {
    private var signals = sigset_t()

    init() {
        signal(SIGPIPE, SIG_IGN)
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Suspends until one of the signals comes.
    func next() async -> Int32 {
        let signals = self.signals
        return await withCheckedContinuation { continuation in
            // A thread of its own: waiting would take one of the pool's.
            final class Waiter {
                let signals: sigset_t
                let continuation: CheckedContinuation<Int32, Never>

                init(_ signals: sigset_t, _ continuation: CheckedContinuation<Int32, Never>) {
                    self.signals = signals
                    self.continuation = continuation
                }
            }
            var thread = pthread_t()
            let waiter = Unmanaged.passRetained(Waiter(signals, continuation)).toOpaque()
            pthread_create(
                &thread, nil,
                { raw in
                    let waiter = Unmanaged<Waiter>.fromOpaque(raw!).takeRetainedValue()
                    var set = waiter.signals
                    var received: Int32 = 0
                    sigwait(&set, &received)
                    waiter.continuation.resume(returning: received)
                    return nil
                }, waiter)
            pthread_detach(thread)
        }
    }
}
