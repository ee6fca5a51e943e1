internal import StrakeMVCC
internal import StrakeModel
internal import StrakeWatching
internal import Synchronization

/// The watches of an embedder, on a thread of their own: a change is handed out there, so that neither applying nor the
/// tasks that read watches wait for it.
final class WatchDesk: Sendable {
    typealias Key = StreamKey

    enum Call {
        case open(Opening)
        case cancel(Key)
        case drained(Key)
        case progress(Key)
        case replayed(ReplayRequest, Result<Replay, MVCCError>)
        /// All watches end so.
        case end(WatchMailbox.Outcome)
        case close
    }

    struct Opening: Sendable {
        var key: Key
        var range: KeyRange
        var options: EmbeddedStore.WatchOptions
        var mailbox: WatchMailbox
        var opened: Reply<Void>
    }

    private struct Queue {
        var calls: [Call] = []
        var isClosed = false
    }

    private let queue = Mutex(Queue())
    private let bell = Doorbell()
    private let lastKey = Atomic<Int>(0)
    let inbox = Mutex(WatchInbox<PublishedEvents>(seed: .random(in: 0 ... .max)))
    private let thread = Mutex<WorkerThread?>(nil)

    /// Begins. Called once.
    func start(_ setup: WatchSetup) {
        let started = WorkerThread(name: "strake-watch") { self.run(setup) }
        thread.withLock { $0 = started }
    }

    // MARK: From any thread

    /// - Returns: `ring` is to be called.
    func offer(_ changes: PublishedEvents) -> Bool { inbox.offer(changes) }

    /// As `offer`, of changes that are in the store's history only.
    func offerSkip(through revision: Int64) -> Bool { inbox.withLock { $0.skip(through: revision) } }

    func ring() { bell.ring() }

    nonisolated(nonsending) func open(
        _ range: KeyRange, _ options: EmbeddedStore.WatchOptions, bytesMax: Int
    ) async throws(EmbeddedStoreError) -> WatchHandle {
        let key = Key(rawValue: lastKey.wrappingAdd(1, ordering: .relaxed).newValue)
        let mailbox = WatchMailbox(startRevision: options.startRevision, bytesMax: bytesMax) { [weak self] in
            self?.post(.drained(key))
        }
        let opened = Reply<Void>()
        guard post(.open(Opening(key: key, range: range, options: options, mailbox: mailbox, opened: opened))) else {
            throw .refused(.stopped)
        }
        // Made before it is waited for: a task that gives up drops it, and with it the watch.
        let handle = WatchHandle(key: key, mailbox: mailbox, desk: self)
        try await opened.value()
        return handle
    }

    func cancel(_ key: Key) { post(.cancel(key)) }

    func requestProgress(of key: Key) { post(.progress(key)) }

    func endAll(_ outcome: WatchMailbox.Outcome) { post(.end(outcome)) }

    /// Ends the watches and the thread.
    func close() {
        post(.close)
        queue.withLock { $0.isClosed = true }
        thread.withLock { $0.take() }?.join()
    }

    /// - Returns: False after `close`: nobody takes it.
    @discardableResult
    func post(_ call: Call) -> Bool {
        let isTaken = queue.withLock { queue in
            if queue.isClosed { return false }
            queue.calls.append(call)
            return true
        }
        if isTaken { bell.ring() }
        return isTaken
    }

    // MARK: The thread

    private func run(_ setup: WatchSetup) {
        var work = WatchWork(self, setup)
        var calls: [Call] = []
        while true {
            let hadChanges = work.takeChanges()
            queue.withLock { queue in swap(&calls, &queue.calls) }
            for (index, call) in calls.enumerated() {
                if case .close = call {
                    work.end(.success(nil))
                    leave(behind: calls[(index + 1)...])
                    return
                }
                work.take(call)
            }
            work.settle()
            let pause = work.tickIfDue()
            let isIdle = !hadChanges && calls.isEmpty
            calls.removeAll(keepingCapacity: true)
            if isIdle { _ = bell.wait(milliseconds: pause) }
        }
    }

    /// Whoever has asked behind the end is told.
    private func leave(behind calls: ArraySlice<Call>) {
        _ = inbox.withLock { $0.stopListening() }
        let rest = queue.withLock { queue in
            queue.isClosed = true
            defer { queue.calls = [] }
            return queue.calls
        }
        for case .open(let opening) in calls + rest { opening.opened.give(.failure(.refused(.stopped))) }
    }
}

/// What the watches have of the store.
struct WatchSetup: Sendable {
    var reader: Reader
    var readers: ReaderThreads
    var progressSeconds: Int
    /// The cluster does not trust this member's store.
    var isQuarantined: @Sendable () -> Bool
    var onDamage: @Sendable (String) -> Void
    /// Called once a tick, which is a second at most.
    var onTick: @Sendable () -> Void
}
