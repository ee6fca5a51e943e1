import StrakeModel
import StrakeWatching
import Testing

/// One message of a stream, short enough to write down: what a test compares.
enum Message: Hashable {
    /// Events as `key@revision`, deletes as `-key@revision`.
    case events(stream: Int, watch: Int64, [String])
    case canceled(stream: Int, watch: Int64, compactRevision: Int64)
    case progress(stream: Int, watch: Int64, revision: Int64)
    case streamProgress(stream: Int, revision: Int64)
}

/// Writes down what the hub puts out. Streams in `full` refuse events.
struct Recorder: WatchConsumer {
    var batch: [Event] = []
    var full: Set<Int> = []
    var messages: [Message] = []

    mutating func deliver(_ delivery: inout Delivery) {
        for index in delivery.watchers.indices {
            let watcher = delivery.watchers[index]
            if full.contains(watcher.stream.rawValue) {
                delivery.refuse(at: index)
                continue
            }
            let events = delivery.positions.map { batch[$0].label }
            messages.append(.events(stream: watcher.stream.rawValue, watch: watcher.watchID, events))
        }
    }

    mutating func cancel(_ watcher: WatcherID, compactRevision: Int64) {
        messages.append(
            .canceled(stream: watcher.stream.rawValue, watch: watcher.watchID, compactRevision: compactRevision))
    }

    mutating func progress(of watcher: WatcherID, revision: Int64) {
        messages.append(
            .progress(stream: watcher.stream.rawValue, watch: watcher.watchID, revision: revision))
    }

    mutating func progress(of stream: StreamKey, revision: Int64) {
        messages.append(.streamProgress(stream: stream.rawValue, revision: revision))
    }

    /// The messages since the last call.
    mutating func take() -> [Message] {
        defer { messages = [] }
        return messages
    }
}

extension Event {
    var label: String {
        (kind == .put ? "" : "-") + String(decoding: keyValue.key, as: UTF8.self) + "@\(keyValue.modRevision)"
    }

    static func put(_ key: String, _ revision: Int64) -> Event {
        Event(kind: .put, keyValue: KeyValue(key: Array(key.utf8), modRevision: revision))
    }

    static func delete(_ key: String, _ revision: Int64) -> Event {
        Event(kind: .delete, keyValue: KeyValue(key: Array(key.utf8), modRevision: revision))
    }
}

extension KeyRange {
    init(_ key: String, _ rangeEnd: String = "") {
        self.init(key: Array(key.utf8), rangeEnd: Array(rangeEnd.utf8))
    }
}

/// A hub with the history behind it, driven as a server would.
struct World: ~Copyable {
    var hub: WatchHub
    var recorder = Recorder()
    var history: [Event] = []
    var current: Int64
    var compactRevision: Int64 = 0

    init(revision: Int64 = 1, limits: WatchLimits = WatchLimits()) {
        hub = WatchHub(published: revision, compactRevision: 0, limits: limits)
        current = revision
    }

    mutating func create(
        _ range: KeyRange, stream: Int = 1, watchID: Int64 = 0, from start: Int64 = 0, form: WatchForm = [],
        notifiesProgress: Bool = false
    ) -> CreateOutcome {
        var request = WatchRequest(range: range)
        request.watchID = watchID
        request.startRevision = start
        request.form = form
        request.notifiesProgress = notifiesProgress
        return hub.create(request, on: StreamKey(rawValue: stream), currentRevision: current)
    }

    mutating func cancel(_ watchID: Int64, stream: Int = 1) -> CancelOutcome {
        hub.cancel(watchID, on: StreamKey(rawValue: stream))
    }

    /// Writes events and publishes them in one batch.
    mutating func publish(_ events: Event...) {
        write(events)
        publish()
    }

    mutating func write(_ events: [Event]) {
        history += events
        current = max(current, events.last?.keyValue.modRevision ?? 0)
    }

    /// Publishes what was written, in one batch.
    mutating func publish(through last: Int64? = nil) {
        let first = hub.published + 1
        let last = last ?? current
        recorder.batch = events(first...last)
        hub.publish(recorder.batch, first: first, last: last, to: &recorder)
        hub.checkInvariants()
    }

    mutating func compact(_ revision: Int64) {
        compactRevision = revision
        hub.compacted(revision)
    }

    func events(_ revisions: ClosedRange<Int64>, coverage: KeyCoverage? = nil) -> [Event] {
        history.filter { event in
            guard revisions.contains(event.keyValue.modRevision) else { return false }
            return coverage?.contains(event.keyValue.key.span.bytes) ?? true
        }
    }

    /// Replays until nobody is behind who can do anything about it.
    mutating func replayAll() {
        while let request = hub.nextReplay(to: &recorder) { finish(request) }
        hub.checkInvariants()
    }

    mutating func nextReplay() throws -> ReplayRequest {
        let request = hub.nextReplay(to: &recorder)
        return try #require(request)
    }

    mutating func finish(_ request: ReplayRequest) {
        var next = request.from
        var outcome = ReplayOutcome.behind
        let coverage = request.coverage()
        repeat {
            let last: Int64
            if case .needs(let range) = outcome { last = range.upperBound } else { last = scanEnd(request, coverage) }
            recorder.batch = events(next...last, coverage: coverage)
            outcome = hub.replayed(request.id, recorder.batch, scannedThrough: last, to: &recorder)
            next = last + 1
            if case .needs = outcome { continue }
            break
        } while true
        hub.finishReplay(request.id, to: &recorder)
    }

    /// The first revision with which the budget is spent.
    func scanEnd(_ request: ReplayRequest, _ coverage: KeyCoverage) -> Int64 {
        let kept = events(request.from...request.through, coverage: coverage)
        guard kept.count > request.eventsMax else { return request.through }
        return kept[request.eventsMax - 1].keyValue.modRevision
    }
}
