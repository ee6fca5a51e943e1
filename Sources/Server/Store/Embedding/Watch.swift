internal import StrakeModel

extension EmbeddedStore {
    /// Which changes a watch delivers, and how.
    public struct WatchOptions: Hashable, Sendable {
        /// The first main revision to deliver; 0: what comes after the watch was made. It may lie in the future.
        public var startRevision: Int64 = 0
        public var wantsPuts = true
        public var wantsDeletes = true
        /// Deliver with each event what the key was before, unless that is compacted away.
        public var wantsPrevious = false
        /// Tell how far the watch is when it has had no events for `Limits.watchProgressSeconds`.
        public var notifiesProgress = false

        public init() {}
    }

    /// Changes that a watch delivers together.
    public struct WatchUpdate: Hashable, Sendable {
        /// The watched changes of one revision or more, whole, in order. Empty: progress.
        public var events: [Event]
        /// Every watched change up to this main revision has been delivered.
        public var revision: Int64

        public init(events: [Event], revision: Int64) {
            self.events = events
            self.revision = revision
        }
    }

    /// The changes of a range of keys, in order, each once: one pass, by one task at a time.
    ///
    /// A slow reader costs bounded memory (`Limits.watchBufferBytes`) and holds nobody up: what it is behind with is read
    /// from history when it comes to it. It fails with `compacted` if that was taken away meanwhile. It ends when the
    /// store is closed, and for a task that is canceled. Dropping the watch and its iterators ends the watching.
    public struct Watch: AsyncSequence, Sendable {
        public typealias Element = WatchUpdate
        public typealias Failure = EmbeddedStoreError

        let handle: WatchHandle

        /// The first main revision that has not been delivered: where to go on with another watch.
        public var nextRevision: Int64 { handle.mailbox.nextRevision }

        /// Asks for an update without events, once every change up to now was delivered.
        public func requestProgress() { handle.desk.requestProgress(of: handle.key) }

        /// Ends the watch, behind what waits to be read.
        public func cancel() { handle.cancel() }

        public func makeAsyncIterator() -> Iterator { Iterator(handle: handle) }

        public struct Iterator: AsyncIteratorProtocol {
            public typealias Element = WatchUpdate
            public typealias Failure = EmbeddedStoreError

            let handle: WatchHandle

            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(EmbeddedStoreError) -> WatchUpdate? {
                try await handle.mailbox.next(isolation: actor).get()
            }

            public mutating func next() async throws(EmbeddedStoreError) -> WatchUpdate? {
                try await handle.mailbox.next(isolation: nil).get()
            }
        }
    }

    /// Watches a range of keys. On return the watch is there: no change that is made from then on escapes it.
    ///
    /// It delivers what this member has applied; of several members another may be ahead by a moment.
    ///
    /// - Throws: `refused` with `compacted` when `startRevision` is gone, `futureRevision` when it is negative, `emptyKey`
    ///   for a range that can have no key, `corrupt` when the cluster does not trust this member's store, `stopped`.
    /// - Complexity: O(log n) in the number of watches for each change; watches of equal range and form share its cost.
    public func watch(
        _ range: KeyRange, _ options: WatchOptions = WatchOptions()
    ) async throws(EmbeddedStoreError) -> Watch {
        try admitRead(isSerializable: true)
        guard !range.lower.isEmpty, !range.isEmpty else { throw .refused(.emptyKey) }
        guard options.startRevision >= 0 else {
            throw .refused(.futureRevision(requested: options.startRevision, current: revision))
        }
        return Watch(handle: try await watches.open(range, options, bytesMax: limits.watchBufferBytes))
    }

    /// Watches one key.
    public func watch(
        _ key: some ByteConvertible, _ options: WatchOptions = WatchOptions()
    ) async throws(EmbeddedStoreError) -> Watch {
        try await watch(.key(key.storedBytes), options)
    }
}

/// Keeps a watch alive: the last reference to it ends the watch.
final class WatchHandle: Sendable {
    let key: WatchDesk.Key
    let mailbox: WatchMailbox
    let desk: WatchDesk

    init(key: WatchDesk.Key, mailbox: WatchMailbox, desk: WatchDesk) {
        self.key = key
        self.mailbox = mailbox
        self.desk = desk
    }

    deinit { desk.cancel(key) }

    func cancel() {
        mailbox.end(.success(nil))
        desk.cancel(key)
    }
}
