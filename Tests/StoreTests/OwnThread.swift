import Dispatch

/// Runs tests that block their thread for long on one of their own. The pool that tests run on has a thread for each core:
/// blocked, it would leave tests that wait without blocking no time, and their deadlines would pass.
@globalActor
actor OwnThread {
    static let shared = OwnThread()

    private final class Executor: SerialExecutor {
        private let queue = DispatchQueue(label: "tests that block")

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
        }
    }

    private let executor = Executor()

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
}
