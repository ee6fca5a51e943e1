package import StrakeModel

/// The watchers of one event loop: who gets which events, and who is how far.
///
/// A watcher is synced and gets each batch as it is published; or waits for a revision yet to come; or is behind, and
/// then holds nothing but the next revision it needs, until a replay of history has brought it up to what is
/// published. The hub stores no events and does no I/O: each loop has its own, so that nothing is locked. It cannot be
/// copied: with each question that its owner asks, the compiler would copy all of it, and count every reference twice.
package struct WatchHub: ~Copyable, Sendable {
    struct Stream {
        /// Slots by watch id.
        var watchers: [Int64: Int] = [:]
        var nextWatchID: Int64 = 0
        /// Watchers in another state than synced.
        var unsynced = 0
        /// A progress request waits for `unsynced` to become 0.
        var owesProgress = false
        /// Watchers that wait for the stream to drain.
        var blocked: Set<WatcherReference> = []
    }

    let limits: WatchLimits
    /// The last revision handed to this hub. Synced watchers have been given all of their events up to it.
    package internal(set) var published: Int64
    var compactRevision: Int64

    var streams: [StreamKey: Stream] = [:]
    var table = WatcherTable()
    var groups: WatchGroups
    var futures = FutureQueue()
    var replays = ReplayQueue()
    var underway: Replay?
    var replayCount: UInt64 = 0
    var dueList = DueList()
    var tick: Int64 = 0
    /// Counts the calls that hand out events or look at progress, to tell which came first.
    var calls: UInt64 = 0
    /// Streams whose owed progress reply can be given at the end of the call in hand.
    var settledStreams: [StreamKey] = []
    var counts = WatchMetrics()
    /// The next revisions of the slow watchers, summed.
    var slowNextSum: Int64 = 0

    /// - Parameter seed: A number that those who watch do not know: no order of ranges makes the look-up deep then.
    package init(published: Int64, compactRevision: Int64, limits: WatchLimits = WatchLimits(), seed: UInt64 = 0) {
        groups = WatchGroups(seed: seed)
        self.published = published
        self.compactRevision = compactRevision
        self.limits = limits
    }

    // MARK: Watchers come and go

    /// - Parameter currentRevision: The store's newest revision, the one in the answer's header. It may be above
    ///   `published`; a watcher from "now" must not see what was there when it was created.
    package mutating func create(
        _ request: WatchRequest, on key: StreamKey, currentRevision: Int64
    ) -> CreateOutcome {
        if request.startRevision < 0 { return .negativeStart }
        if request.range.isEmpty { return .emptyRange }
        var stream = streams.removeValue(forKey: key) ?? Stream()
        defer { streams[key] = stream }
        var watchID = request.watchID
        if watchID == 0 {
            while stream.watchers[stream.nextWatchID] != nil { stream.nextWatchID += 1 }
            watchID = stream.nextWatchID
            stream.nextWatchID += 1
        } else if stream.watchers[watchID] != nil {
            return .duplicateID
        }
        if request.startRevision > 0, request.startRevision < compactRevision {
            return .compacted(watchID: watchID, compactRevision: compactRevision)
        }
        let slot = table.add(Watcher(stream: key, watchID: watchID, group: groups.acquire(request.range, request.form)))
        stream.watchers[watchID] = slot
        if request.notifiesProgress { startProgress(of: slot) }
        let isFromNow = request.startRevision == 0
        let next = isFromNow ? max(published, currentRevision) + 1 : request.startRevision
        place(slot, next: next)
        if !isSynced(slot) { stream.unsynced += 1 }
        return .created(watchID: watchID)
    }

    package mutating func cancel(_ watchID: Int64, on key: StreamKey) -> CancelOutcome {
        guard let slot = streams[key]?.watchers[watchID] else { return .unknown }
        forget(slot)
        return .canceled(owedProgress: takeOwedProgress(of: key))
    }

    /// The stream is gone.
    package mutating func remove(_ key: StreamKey) {
        guard let stream = streams[key] else { return }
        for slot in stream.watchers.values.sorted() { forget(slot) }
        streams[key] = nil
        settledStreams.removeAll(keepingCapacity: true)
    }

    /// The stream has room again: its watchers that had to wait may replay.
    package mutating func drained(_ key: StreamKey) {
        guard let blocked = streams[key]?.blocked, !blocked.isEmpty else { return }
        streams[key]!.blocked = []
        for reference in blocked.sorted(by: { $0.slot < $1.slot }) {
            let slot = Int(reference.slot)
            guard case .blocked(let next) = table[slot].state else {
                preconditionFailure("slot \(slot) is not blocked")
            }
            move(slot, to: .replaying(next: next))
            replays.add(reference, next: next)
        }
    }

    /// Revisions below this one are gone. A watcher that needs one is canceled when its replay comes.
    package mutating func compacted(_ revision: Int64) {
        compactRevision = max(compactRevision, revision)
    }

    /// Some watcher is synced, waits for a revision to come, or is on its way to be synced: batches are of use. When all
    /// are blocked they are not; `skip` then makes up for those that were not given to `publish`.
    package var needsEvents: Bool { counts.watchers > counts.blocked }

    /// Some watcher has this very range.
    package func isWatched(_ range: KeyRange) -> Bool { groups.hasWatchers(of: range) }

    /// Ranges that lost their last watcher since the last call.
    package mutating func takeAbandoned() -> [KeyRange] { groups.takeAbandoned() }

    package var metrics: WatchMetrics {
        var metrics = counts
        metrics.streams = streams.count
        // Each may be near the end of the numbers: only the difference is small.
        metrics.pendingRevisions = Int64(counts.slow) &* (published + 1) &- slowNextSum
        return metrics
    }
}
