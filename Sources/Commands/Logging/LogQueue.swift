internal import Glibc
internal import Synchronization

/// Lines on their way to the outputs.
final class LogQueue: Sendable {
    /// Lines that wait; at the bound further ones are dropped and counted.
    static let bytesMax = 1 << 20
    private static let drainMilliseconds = 1_000

    private struct State {
        var waiting: [UInt8] = []
        var dropped = 0
        /// The thread has taken lines and has not written all of them.
        var isWriting = false
        var drainers = 0
    }

    private let state = Mutex(State())
    private let work = Signal()
    private let idle = Signal()
    private let outputs: [any LogOutput]
    private let lost: @Sendable (Int) -> [UInt8]

    /// - Parameter lost: The line that says how many were dropped.
    init(outputs: [any LogOutput], lost: @escaping @Sendable (Int) -> [UInt8]) {
        self.outputs = outputs
        self.lost = lost
        start()
    }

    /// From any thread; never waits for an output.
    func add(_ line: [UInt8]) {
        let wakes = state.withLock { state in
            guard state.waiting.count + line.count <= Self.bytesMax else {
                state.dropped += 1
                return false
            }
            defer { state.waiting += line }
            return state.waiting.isEmpty && !state.isWriting
        }
        if wakes { work.post() }
    }

    /// Returns when nothing waits any more, or the time is over.
    func drain() {
        let isIdle = state.withLock { state in
            if state.waiting.isEmpty, !state.isWriting { return true }
            state.drainers += 1
            return false
        }
        if !isIdle { idle.wait(milliseconds: Self.drainMilliseconds) }
    }

    private func start() {
        var handle = pthread_t()
        let queue = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &handle, nil,
            { raw in
                if let name = fopen("/proc/thread-self/comm", "w") {
                    fputs("strake-logger", name)
                    fclose(name)
                }
                // For as long as the process: lines are written to its very end.
                Unmanaged<LogQueue>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, queue)
        precondition(code == 0, "pthread_create failed: \(code)")
        pthread_detach(handle)
    }

    private func run() {
        while true {
            work.wait()
            while let lines = next() {
                for output in outputs { output.write(lines) }
            }
        }
    }

    private func next() -> [UInt8]? {
        let (lines, dropped, drainers) = state.withLock { state in
            defer {
                state.isWriting = !state.waiting.isEmpty
                state.waiting = []
                state.dropped = 0
                if !state.isWriting { state.drainers = 0 }
            }
            return (state.waiting, state.dropped, state.drainers)
        }
        guard lines.isEmpty else { return dropped == 0 ? lines : lines + lost(dropped) }
        for _ in 0..<drainers { idle.post() }
        return nil
    }
}

/// A semaphore.
private final class Signal: @unchecked Sendable {
    // At a fixed address, which the system wants; never moved, and only used through its own calls.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}
    }

    func wait(milliseconds: Int) {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = deadline.tv_nsec + (milliseconds % 1_000) * 1_000_000
        deadline.tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        while sem_timedwait(semaphore, &deadline) != 0, errno == EINTR {}
    }
}
