/// Bounds on what the hub does at a time.
package struct WatchLimits: Hashable, Sendable {
    /// Time without events after which a watcher hears of its progress: 10 minutes, etcd's default, of 100 ms ticks.
    package var progressIntervalTicks = 6_000
    package var progressPerTick = 1_000
    /// Revisions one replay request may scan.
    package var replayRevisions: Int64 = 10_000
    /// Events that matter to a watcher, after which a replay stops at the end of the revision. As many as etcd sends
    /// at a time.
    package var replayEvents = 1_000
    package var replayBytes = 4 << 20
    /// Watchers one replay request may serve.
    package var replayWatchers = 10_000
    /// The most revisions that the server is asked to fill in from memory, on its event loop, at the end of a replay.
    package var fillRevisions: Int64 = 1_000

    package init() {}
}

/// What the hub holds, for the metrics page.
package struct WatchMetrics: Hashable, Sendable {
    package var streams = 0
    package var synced = 0
    package var future = 0
    package var replaying = 0
    package var blocked = 0
    /// Revisions that the slow watchers have yet to see, summed over them.
    package var pendingRevisions: Int64 = 0

    package init() {}

    package var watchers: Int { synced + future + replaying + blocked }
    /// Watchers behind the published revision.
    package var slow: Int { replaying + blocked }
}
