internal import StrakeMVCC
internal import StrakeModel
internal import StrakeWatching

/// A member's watches: the server's hub, and streams to clients in place of connections.
struct WatchDesk: ~Copyable {
    /// Messages on their way at which a stream takes no more.
    static let queuedMax = 8

    var hub: WatchHub
    var inbox = WatchInbox<[Event]>()
    var streams: [Int: Stream] = [:]
    /// Being read.
    var replay: ReplayRequest?

    struct Stream {
        var client: Int
        var queued = 0
        var isFull = false
        /// When its last message arrives: they keep their order.
        var lastArrival: Int64 = 0
    }

    init(reader: Reader) {
        var limits = WatchLimits()
        limits.replayEvents = 8
        limits.fillRevisions = 16
        limits.progressIntervalTicks = 5
        hub = WatchHub(published: reader.revision, compactRevision: reader.compactRevision, limits: limits)
        inbox.listen()
    }
}

/// Takes the hub's output for one call and sends it on its way.
struct WatchOutbox: WatchConsumer {
    let events: [Event]
    var full: Set<Int>
    var messages: [(stream: Int, message: WatchMessage)] = []
    /// Turned down: its client is slow.
    var refused: [Int] = []
    /// The bug: what a full stream does not take is forgotten.
    let forgets: Bool

    mutating func deliver(_ delivery: inout Delivery) {
        for index in delivery.watchers.indices {
            let stream = delivery.watchers[index].stream.rawValue
            if full.contains(stream) {
                if forgets { continue }
                refused.append(stream)
                delivery.refuse(at: index)
            } else {
                messages.append((stream, .events(delivery.positions.map { events[$0] })))
            }
        }
    }

    mutating func cancel(_ watcher: WatcherID, compactRevision: Int64) {
        messages.append((watcher.stream.rawValue, .compacted(revision: compactRevision)))
    }

    mutating func progress(of watcher: WatcherID, revision: Int64) {
        if full.contains(watcher.stream.rawValue) { return }
        messages.append((watcher.stream.rawValue, .progress(revision: revision)))
    }

    mutating func progress(of stream: StreamKey, revision: Int64) {
        messages.append((stream.rawValue, .progress(revision: revision)))
    }
}
