internal import StrakeEtcdWire

/// What a watch delivers: the events of one or more revisions, in order, or none: then everything up to the header's
/// revision has been delivered, or something is missing (`compactRevision`).
public struct WatchResponse: Hashable, Sendable {
    public var header: Header
    public var events: [Event]
    /// Above zero, of a watch with `resumesAfterCompaction`: what lies below this revision and had not been delivered was
    /// compacted away, and the next response goes on here. Read the range anew, at this revision or later.
    public var compactRevision: Int64

    public init(header: Header, events: [Event], compactRevision: Int64 = 0) {
        self.header = header
        self.events = events
        self.compactRevision = compactRevision
    }

    /// No events, and none are missing: progress.
    public var isProgress: Bool { events.isEmpty && compactRevision == 0 }
}

/// Which changes a watch delivers.
public struct WatchOptions: Hashable, Sendable {
    /// The first revision to deliver; 0 begins with what comes after the watch was made.
    public var revision: Int64 = 0
    /// Deliver with each event what the key was before.
    public var wantsPrevious = false
    /// Deliver empty responses now and then, so that a quiet watch can be told from a dead one.
    public var progressNotify = false
    public var withoutPuts = false
    public var withoutDeletes = false
    /// Go on when revisions that are due were compacted away, with a response that says so, instead of ending.
    public var resumesAfterCompaction = false

    public init() {}
}

/// The changes of a range of keys, for one task to iterate over once.
///
/// Each revision comes whole, in order, once: when a connection or a member is lost the watch goes on at another from the
/// first revision that was not delivered. It ends with an error that cannot be helped by another member: most of all
/// compaction, when the revisions that are due are gone (`compactRevision` says up to where). With `resumesAfterCompaction`
/// it goes on from there instead.
///
/// Events that are not taken are not lost: the server is made to wait by HTTP/2's flow control, at no one else's expense.
public struct Watch: AsyncSequence, Sendable {
    public typealias Element = WatchResponse
    public typealias Failure = StrakeClientError

    private let session: WatchSession

    init(_ session: WatchSession) {
        self.session = session
    }

    /// The first revision that has not been delivered.
    public var nextRevision: Int64 { session.nextRevision }

    /// Asks the member for progress: an empty response with its revision, once all before it was delivered. It may be lost
    /// with a connection.
    public func requestProgress() { session.requestProgress() }

    /// Ends the watch; whoever waits for a response gets `cancelled`.
    public func cancel() { session.cancel() }

    public func makeAsyncIterator() -> Iterator { Iterator(session: session) }

    public struct Iterator: AsyncIteratorProtocol {
        public typealias Element = WatchResponse
        public typealias Failure = StrakeClientError

        let session: WatchSession

        /// Never nil: a watch ends with an error.
        public mutating func next() async throws(StrakeClientError) -> WatchResponse? { try await session.next() }
    }
}

extension StrakeClient {
    /// Watches a range of keys. Returns when the watch exists, so that no change that is made afterwards escapes it. While no
    /// member can be asked it goes on trying: cancel the task to give up.
    ///
    /// A revision that is gone fails the first response, with `isCompacted` and `compactRevision`; or the first response
    /// tells of it, with `resumesAfterCompaction`.
    public func watch(_ range: KeyRange, _ options: WatchOptions = WatchOptions()) async throws(StrakeClientError)
        -> Watch
    {
        var request = WatchCreateRequest(range: range)
        request.startRevision = options.revision
        request.wantsPrevious = options.wantsPrevious
        request.progressNotify = options.progressNotify
        request.noPut = options.withoutPuts
        request.noDelete = options.withoutDeletes
        // A revision may be longer than a message should be.
        request.fragment = true
        let resume = WatchResume(request, goesOnAfterCompaction: options.resumesAfterCompaction)
        let session = WatchSession(self, resume)
        try await session.begin()
        return Watch(session)
    }

    /// Watches a key.
    public func watch(
        _ key: some ByteConvertible, _ options: WatchOptions = WatchOptions()
    ) async throws(StrakeClientError) -> Watch {
        try await watch(.key(key.storedBytes), options)
    }
}
