import StrakeModel
import StrakeSeededGenerator
import StrakeWatching
import Testing

/// Random conversations with the hub beside a naive model: a list of watchers, each checked against all of history.
@Suite struct HubModelTests {
    @Test(
        "every watcher gets exactly its events, in order, whatever happens around it",
        arguments: Array(1...60) as [UInt64])
    func conversation(seed: UInt64) {
        var model = HubModel(seed: seed)
        for _ in 0..<1_500 { model.step() }
        model.settle()
    }

    @Test(
        "so it does when batches come by an inbox that keeps out what nobody wants",
        arguments: Array(1...120) as [UInt64])
    func conversationByInbox(seed: UInt64) {
        var model = HubModel(seed: seed, hasInbox: true)
        for _ in 0..<1_500 { model.step() }
        model.settle()
        #expect(model.kept > 0 && model.taken > 0, "kept out \(model.kept), taken in \(model.taken)")
    }
}

/// What one watcher must get and has got.
private struct Track {
    let range: KeyRange
    let form: WatchForm
    let start: Int64
    /// Positions in history.
    var received: [Int] = []
    var isOver = false

    func wants(_ event: Event) -> Bool {
        event.keyValue.modRevision >= start && range.contains(event.keyValue.key) && form.admits(event.kind)
    }
}

private struct Name: Hashable {
    let stream: Int
    let watch: Int64
}

/// The model's side of the queues: follows each watcher and checks each message when it comes.
private struct Checker: WatchConsumer {
    var history: [Event] = []
    /// Positions in history of the batch in hand.
    var batch: [Int] = []
    var full: Set<Int> = []
    var random: SeededGenerator
    var tracks: [Track] = []
    var live: [Name: Int] = [:]
    var owed: Set<Int> = []
    var compactRevision: Int64 = 0

    private func name(_ watcher: WatcherID) -> Name {
        Name(stream: watcher.stream.rawValue, watch: watcher.watchID)
    }

    mutating func deliver(_ delivery: inout Delivery) {
        #expect(!delivery.positions.isEmpty && !delivery.watchers.isEmpty)
        for index in delivery.watchers.indices {
            let watcher = name(delivery.watchers[index])
            if full.contains(watcher.stream) {
                delivery.refuse(at: index)
                continue
            }
            guard let track = live[watcher] else {
                Issue.record("events for \(watcher), which is gone")
                continue
            }
            #expect(tracks[track].form == delivery.form)
            tracks[track].received += delivery.positions.map { batch[$0] }
            check(track)
            // Rooms fill up and drain at any time.
            if Int.random(in: 0..<10, using: &random) == 0 { full.insert(watcher.stream) }
        }
    }

    /// What came is the beginning of what must come.
    func check(_ track: Int) {
        var received = tracks[track].received[...]
        for (position, event) in history.enumerated() where tracks[track].wants(event) {
            if received.isEmpty { return }
            #expect(received.removeFirst() == position, "watcher \(track): gap, repeat or disorder")
        }
        #expect(received.isEmpty, "watcher \(track): events it must not get")
    }

    /// All it wants up to the revision has come.
    func expectComplete(_ track: Int, through revision: Int64) {
        let wanted = history.indices.filter {
            history[$0].keyValue.modRevision <= revision && tracks[track].wants(history[$0])
        }
        #expect(tracks[track].received.filter { history[$0].keyValue.modRevision <= revision } == wanted)
    }

    mutating func cancel(_ watcher: WatcherID, compactRevision: Int64) {
        guard let track = live.removeValue(forKey: name(watcher)) else {
            Issue.record("\(name(watcher)) canceled twice")
            return
        }
        #expect(compactRevision == self.compactRevision)
        tracks[track].isOver = true
        if !live.keys.contains(where: { $0.stream == watcher.stream.rawValue }) { owed.remove(watcher.stream.rawValue) }
        // It was not far enough: some revision below the compact revision it had not been taken through. Whether it
        // wanted an event there is not known, so all that can be said is that it did not start above.
        #expect(tracks[track].start < compactRevision)
    }

    mutating func progress(of watcher: WatcherID, revision: Int64) {
        guard let track = live[name(watcher)] else {
            Issue.record("progress of \(name(watcher)), which is gone")
            return
        }
        expectComplete(track, through: revision)
    }

    mutating func progress(of stream: StreamKey, revision: Int64) {
        #expect(owed.remove(stream.rawValue) != nil, "a progress reply nobody asked for")
        for (name, track) in live where name.stream == stream.rawValue { expectComplete(track, through: revision) }
    }
}

private struct HubModel: ~Copyable {
    var random: SeededGenerator
    var hub: WatchHub
    var checker: Checker
    var current: Int64 = 1
    /// The request that a reader has, and how far it got.
    var reading: (request: ReplayRequest, next: Int64, outcome: ReplayOutcome?)?
    /// What the hub's owner and the thread that applies have between them.
    let hasInbox: Bool
    var inbox = WatchInbox<ClosedRange<Int64>>(lettersMax: 3)
    var isListening = false
    /// The inbox has said that the hub is to look.
    var isWoken = false
    /// Of the watcher that is being created.
    var coming: KeyRange?
    /// In the store, and not offered yet.
    var unoffered: ClosedRange<Int64>?
    /// Batches that the inbox kept out and those it took in.
    var (kept, taken) = (0, 0)

    init(seed: UInt64, hasInbox: Bool = false) {
        self.hasInbox = hasInbox
        random = SeededGenerator(seed: seed)
        var limits = WatchLimits()
        limits.progressIntervalTicks = 3
        limits.progressPerTick = 2
        limits.replayRevisions = 12
        limits.replayEvents = 5
        limits.replayWatchers = 4
        limits.fillRevisions = 6
        hub = WatchHub(published: 1, compactRevision: 0, limits: limits)
        checker = Checker(random: SeededGenerator(seed: seed ^ 0xABCD))
    }

    mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14: create()
        case 14..<20: cancel()
        case 20..<45: write()
        case 45..<65: publish()
        case 65..<85: replay()
        case 85..<90: drain()
        case 90..<92: compact()
        case 92..<95: tick()
        case 95..<98: requestProgress()
        case 98: if Int.random(in: 0..<4, using: &random) == 0 { removeStream() }
        default: if Int.random(in: 0..<6, using: &random) == 0 { skip() }
        }
        settleInbox()
        hub.checkInvariants()
        #expect(inbox.count == 0 || isWoken, "what waits is forgotten")
    }

    private mutating func key() -> [UInt8] {
        (0..<Int.random(in: 1...2, using: &random)).map { _ in UInt8.random(in: 97...100, using: &random) }
    }

    private mutating func range() -> KeyRange {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5: return .key(key())
        case 5: return .all
        case 6: return KeyRange(lower: key(), upper: .unbounded)
        default:
            let lower = key()
            return KeyRange(lower: lower, upper: .before(lower.dropLast() + [lower.last! + 1]))
        }
    }

    private mutating func create() {
        var request = WatchRequest(range: range())
        request.form = WatchForm(rawValue: Bool.random(using: &random) ? 0 : UInt8.random(in: 0..<16, using: &random))
        request.notifiesProgress = Bool.random(using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: request.startRevision = Int64.random(in: 1...current, using: &random)
        case 1: request.startRevision = Int64.random(in: 1...current + 6, using: &random)
        default: break
        }
        if Int.random(in: 0..<5, using: &random) == 0 { request.watchID = Int64.random(in: -1...9, using: &random) }
        let stream = Int.random(in: 0..<6, using: &random)
        if hasInbox {
            inbox.want(request.range)
            coming = request.range
            meanwhile()
            takeChanges()
            meanwhile()
            listen()
            meanwhile()
        }
        defer {
            coming = nil
            if !hub.isWatched(request.range) { inbox.forget(request.range) }
        }
        let outcome = hub.create(request, on: StreamKey(rawValue: stream), currentRevision: current)
        let start = request.startRevision == 0 ? current + 1 : request.startRevision
        switch outcome {
        case .created(let watch):
            #expect(start >= checker.compactRevision)
            #expect(checker.live[Name(stream: stream, watch: watch)] == nil)
            checker.live[Name(stream: stream, watch: watch)] = checker.tracks.count
            checker.tracks.append(Track(range: request.range, form: request.form, start: start))
        case .duplicateID: #expect(checker.live[Name(stream: stream, watch: request.watchID)] != nil)
        case .compacted: #expect(start < checker.compactRevision)
        case .emptyRange, .negativeStart: Issue.record("\(outcome)")
        }
    }

    private mutating func someWatcher() -> Name? {
        checker.live.keys.sorted { ($0.stream, $0.watch) < ($1.stream, $1.watch) }.randomElement(using: &random)
    }

    private mutating func cancel() {
        guard let name = someWatcher() else { return }
        checker.tracks[checker.live.removeValue(forKey: name)!].isOver = true
        switch hub.cancel(name.watch, on: StreamKey(rawValue: name.stream)) {
        case .unknown: Issue.record("\(name) unknown")
        case .canceled(nil): break
        case .canceled(let revision?): checker.progress(of: StreamKey(rawValue: name.stream), revision: revision)
        }
        if !checker.live.keys.contains(where: { $0.stream == name.stream }) { checker.owed.remove(name.stream) }
    }

    private mutating func removeStream() {
        let stream = Int.random(in: 0..<6, using: &random)
        hub.remove(StreamKey(rawValue: stream))
        checker.live = checker.live.filter { $0.key.stream != stream }
        checker.owed.remove(stream)
        checker.full.remove(stream)
    }

    private mutating func write() {
        guard hasInbox else { return writeRevision() }
        offer()
        let first = current + 1
        for _ in 0..<Int.random(in: 1...3, using: &random) { writeRevision() }
        unoffered = first...current
    }

    /// What the thread that applies may do between two steps of the hub's owner.
    private mutating func meanwhile() {
        if Bool.random(using: &random) { write() }
        if Bool.random(using: &random) { offer() }
    }

    private mutating func writeRevision() {
        current += 1
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let kind: Event.Kind = Bool.random(using: &random) ? .put : .delete
            checker.history.append(Event(kind: kind, keyValue: KeyValue(key: key(), modRevision: current)))
        }
    }

    private mutating func batch(_ revisions: ClosedRange<Int64>, _ coverage: KeyCoverage? = nil) -> [Event] {
        checker.batch = checker.history.indices.filter { index in
            let event = checker.history[index]
            guard revisions.contains(event.keyValue.modRevision) else { return false }
            return coverage?.contains(event.keyValue.key.span.bytes) ?? true
        }
        return checker.batch.map { checker.history[$0] }
    }

    private mutating func offer() {
        guard let revisions = unoffered else { return }
        unoffered = nil
        let (first, last) = (revisions.lowerBound, revisions.upperBound)
        let before = inbox.count
        if inbox.offer(revisions, batch(revisions), first: first, last: last) { isWoken = true }
        if inbox.count != before {
            taken += 1
        } else if isListening {
            kept += 1
        }
    }

    private mutating func takeChanges() {
        isWoken = false
        var changes = inbox.take()
        while let step = changes.next(after: hub.published) {
            switch step {
            case .pass(let revision): hub.pass(through: revision, to: &checker)
            case .publish(let revisions, let first, let last):
                hub.publish(batch(revisions), first: first, last: last, to: &checker)
            case .skip(let revision): hub.skip(through: revision, to: &checker)
            }
            meanwhile()
            // What a delivery may bring about.
            switch Int.random(in: 0..<8, using: &random) {
            case 0: cancel()
            case 1: removeStream()
            case 2: drain()
            case 3: replay()
            default: break
            }
            settleInbox()
        }
    }

    private mutating func listen() {
        if isListening { return }
        isListening = true
        inbox.listen()
        meanwhile()
        if current > hub.published { hub.skip(through: current, to: &checker) }
    }

    private mutating func settleInbox() {
        for range in hub.takeAbandoned() where range != coming { inbox.forget(range) }
        if isListening, !hub.needsEvents {
            isListening = false
            _ = inbox.stopListening()
        }
    }

    private mutating func tick() {
        if isListening { takeChanges() }
        hub.tick(to: &checker)
    }

    private mutating func publish() {
        if hasInbox {
            offer()
            if Bool.random(using: &random) { takeChanges() }
            return
        }
        guard hub.published < current else { return }
        let first = hub.published + 1
        let last = Int64.random(in: first...current, using: &random)
        // As the server does: a hub that needs no events is not given any.
        guard hub.needsEvents else { return hub.skip(through: last, to: &checker) }
        hub.publish(batch(first...last), first: first, last: last, to: &checker)
    }

    private mutating func skip() {
        if hasInbox {
            write()
            unoffered = nil
            if inbox.skip(through: current) { isWoken = true }
            return
        }
        let revision = Int64.random(in: hub.published...current, using: &random)
        hub.skip(through: revision, to: &checker)
    }

    private mutating func drain() {
        for stream in checker.full.sorted() {
            checker.full.remove(stream)
            hub.drained(StreamKey(rawValue: stream))
        }
        if hasInbox, hub.needsEvents { listen() }
    }

    private mutating func compact() {
        // The store may be ahead of the hub.
        let highest = hasInbox ? current : hub.published
        let lowest = max(checker.compactRevision, highest - 20)
        guard lowest < highest else { return }
        checker.compactRevision = Int64.random(in: lowest...highest, using: &random)
        hub.compacted(checker.compactRevision)
    }

    private mutating func requestProgress() {
        let stream = Int.random(in: 0..<6, using: &random)
        takeChanges()
        switch hub.requestProgress(of: StreamKey(rawValue: stream)) {
        case .nothing: #expect(!checker.live.keys.contains { $0.stream == stream })
        case .owed: checker.owed.insert(stream)
        case .reply(let revision):
            #expect(revision == hub.published)
            checker.owed.insert(stream)
            checker.progress(of: StreamKey(rawValue: stream), revision: revision)
        }
    }

    /// One step of the replay under way, or the start of one.
    private mutating func replay() {
        guard let current = reading else {
            reading = hub.nextReplay(to: &checker).map { ($0, $0.from, nil) }
            return
        }
        let (request, next, outcome) = current
        let coverage = request.coverage()
        // A read fails at times, or finds its revisions compacted.
        if Int.random(in: 0..<12, using: &random) == 0 || (outcome == nil && request.from < checker.compactRevision) {
            hub.finishReplay(request.id, to: &checker)
            reading = nil
            return
        }
        let last: Int64
        if case .needs = outcome {
            // Published revisions went on since; the gap is from where the replay is.
            last = hub.published
        } else {
            last = Int64.random(in: next...request.through, using: &random)
        }
        if last < next { return finish(request) }
        let answer = hub.replayed(request.id, batch(next...last, coverage), scannedThrough: last, to: &checker)
        hub.checkInvariants()
        reading = (request, last + 1, answer)
        switch answer {
        case .needs: if Bool.random(using: &random) { finish(request) }
        case .behind, .caughtUp: finish(request)
        case .stale: Issue.record("stale")
        }
    }

    private mutating func finish(_ request: ReplayRequest) {
        hub.finishReplay(request.id, to: &checker)
        reading = nil
    }

    /// Lets everything run out: nobody may be left behind.
    mutating func settle() {
        while hub.published < current {
            publish()
            if hasInbox { takeChanges() }
            if hasInbox, !isListening { hub.skip(through: current, to: &checker) }
        }
        for _ in 0..<10_000 where hub.metrics.slow > 0 || reading != nil {
            drain()
            replay()
        }
        hub.checkInvariants()
        #expect(hub.metrics.slow == 0)
        #expect(hub.metrics.watchers == checker.live.count)
        for track in checker.live.values { checker.expectComplete(track, through: current) }
        let waiting = Set(checker.live.filter { checker.tracks[$0.value].start > current + 1 }.map(\.key.stream))
        #expect(checker.owed.isSubset(of: waiting))
    }
}
