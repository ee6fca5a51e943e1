internal import Glibc
internal import StrakeMVCC
internal import Synchronization

/// Threads for reads that may meet cold pages or take long, so that none stalls the caller's executor.
///
/// Work waits in one queue. Each piece of it belongs to a task or a watch that waits for it, so the queue is as long as
/// there are callers.
final class ReaderThreads: @unchecked Sendable {
    typealias Work = @Sendable () -> Void

    private struct Queue {
        var work: [Work] = []
        var first = 0
        var isClosing = false

        mutating func take() -> Work? {
            guard first < work.count else { return nil }
            defer {
                first += 1
                if first == work.count {
                    work.removeAll(keepingCapacity: true)
                    first = 0
                }
            }
            return work[first]
        }
    }

    private let queue = Mutex(Queue())
    // It needs a fixed address for its whole life.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let threads = Mutex<[WorkerThread]>([])
    private let count: Int

    /// - Parameter count: 0: one for each core, from 2 to 8.
    init(count: Int) {
        self.count = count > 0 ? count : min(max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))), 8)
        sem_init(semaphore, 0, 0)
        let started = (0..<self.count).map { _ in WorkerThread(name: "strake-read") { self.run() } }
        threads.withLock { $0 = started }
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// - Returns: False after `close`: it will not be done.
    func submit(_ work: @escaping Work) -> Bool {
        let isTaken = queue.withLock { queue in
            if queue.isClosing { return false }
            queue.work.append(work)
            return true
        }
        if isTaken { sem_post(semaphore) }
        return isTaken
    }

    /// Reads on one of the threads.
    nonisolated(nonsending) func read<Value: Sendable>(
        _ body: @escaping @Sendable () throws(EmbeddedStoreError) -> Value
    ) async throws(EmbeddedStoreError) -> Value {
        let reply = Reply<Value>()
        let isTaken = submit {
            do throws(EmbeddedStoreError) {
                reply.give(.success(try body()))
            } catch {
                reply.give(.failure(error))
            }
        }
        guard isTaken else { throw .refused(.stopped) }
        return try await reply.value()
    }

    /// Does what is queued, and ends the threads.
    func close() {
        queue.withLock { $0.isClosing = true }
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for _ in threads { sem_post(semaphore) }
        for thread in threads { thread.join() }
    }

    private func run() {
        while true {
            while sem_wait(semaphore) != 0 { precondition(errno == EINTR, "errno \(errno)") }
            // Posted once for each piece of work, and then once for each thread.
            guard let work = queue.withLock({ $0.take() }) else { return }
            work()
        }
    }
}
