internal import NIOCore
internal import NIOPosix
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore
internal import StrakeWatching
internal import Synchronization

/// The watchers of one event loop: requests come from its sessions, changes from the store, history from the reader
/// threads. All of it runs on the loop, but for the two offers.
final class WatchLoop {
    private let service: Service
    private let eventLoop: any EventLoop
    private var hub: WatchHub
    private var sink: WatchSink
    private var lastStream = 0
    private let inbox = Mutex(WatchInbox<PublishedEvents>(seed: .random(in: 0 ... .max)))
    /// As the inbox says, which nobody else changes.
    private var isListening = false
    /// Of the watcher that is being created. The hub does not know it yet.
    private var coming: KeyRange?
    private var ticker: RepeatedTask?
    private let tickMilliseconds: Int64
    /// No replay is started: the last one met damage.
    private var rests = false
    private static let damagePause = TimeAmount.seconds(1)
    /// The hub and the sink are at work, and may write to sessions.
    private var isDelivering = false
    /// Streams that ended, or drained, meanwhile.
    private var closedMeanwhile: [StreamKey] = []
    private var drainedMeanwhile: [StreamKey] = []

    init(service: Service, eventLoop: any EventLoop) {
        self.service = service
        self.eventLoop = eventLoop
        let interval = service.options.progressNotifyMilliseconds
        tickMilliseconds = min(max(interval / 10, 50), 1_000)
        var limits = WatchLimits()
        limits.progressIntervalTicks = max(1, Int(interval / tickMilliseconds))
        // What one replay hands to a stream is queued whole: with events of 1 kB, about what the queue holds. Large ones
        // stay together, as etcd sends them.
        limits.replayEvents = 128
        let reader = service.store.reader
        hub = WatchHub(
            published: reader.revision, compactRevision: reader.compactRevision, limits: limits,
            seed: .random(in: 0 ... .max))
        sink = WatchSink(service: service)
    }

    // MARK: From the thread that applies

    /// Takes the changes in if some watcher may want them. Those that are blocked find them in history when their streams
    /// have drained: until then they cost a writer nothing.
    ///
    /// - Returns: The loop is to call `takeChanges`.
    func offer(_ changes: PublishedEvents) -> Bool { inbox.offer(changes) }

    /// As `offer`, of changes that are in the store's history only.
    func offerSkip(through revision: Int64) -> Bool { inbox.withLock { $0.skip(through: revision) } }

    // MARK: On the loop

    var metrics: WatchMetrics { hub.metrics }

    // MARK: Streams

    func open(_ stream: StreamID, of session: Session) -> StreamKey {
        if sink.streams.isEmpty { startTicking() }
        lastStream += 1
        let key = StreamKey(rawValue: lastStream)
        sink.streams[key] = WatchStream(id: stream, session: session)
        return key
    }

    func close(_ key: StreamKey) {
        if isDelivering { return closedMeanwhile.append(key) }
        guard sink.streams.removeValue(forKey: key) != nil else { return }
        hub.remove(key)
        if sink.streams.isEmpty { stopTicking() }
        settle()
    }

    /// The stream can take more.
    func drained(_ key: StreamKey) {
        if isDelivering { return drainedMeanwhile.append(key) }
        sink.streams[key]?.awaitsRoom = false
        hub.drained(key)
        listenIfNeeded()
        pump()
        settle()
    }

    /// Runs what may write to sessions. A connection can end as it is written to, or drain, and its session says so at once:
    /// it is heard when the hub is free again.
    private func deliver<Result>(_ body: (inout WatchHub, inout WatchSink) -> Result) -> Result {
        precondition(!isDelivering, "a delivery began another one")
        isDelivering = true
        sink.beginTurn()
        let result = body(&hub, &sink)
        sink.endTurn()
        isDelivering = false
        while let key = closedMeanwhile.popLast() { close(key) }
        while let key = drainedMeanwhile.popLast() { drained(key) }
        return result
    }

    private func send(
        _ response: WatchResponse, _ kind: WatchTurn.Kind = .control, revision: Int64, to key: StreamKey
    ) {
        deliver { _, sink in sink.send(response, kind, revision: revision, to: key) }
    }

    func receive(_ request: StrakeEtcdWire.WatchRequest, on stream: StreamID, of session: Session) {
        guard let state = session.streams[stream], case .watch(let key) = state.role else { return }
        switch request {
        case .create(let create):
            let denial = create.startRevision < 0 ? nil : session.watchDenial(of: create.range, stream)
            if let denial {
                refuse(WatchCancelReason(denial), at: revision, on: key)
            } else {
                self.create(create, on: key)
            }
        case .cancel(let watchID):
            guard case .canceled(let owed) = hub.cancel(watchID, on: key) else { return }
            send(WatchResponse(watchID: watchID, canceled: true), revision: revision, to: key)
            if let owed { send(WatchResponse(watchID: -1), .progress, revision: owed, to: key) }
        case .progress:
            takeChanges()
            guard case .reply(let revision) = hub.requestProgress(of: key) else { return }
            send(WatchResponse(watchID: -1), .progress, revision: revision, to: key)
        case .none: return
        }
        settle()
    }

    private var revision: Int64 { service.store.reader.revision }

    private func create(_ request: WatchCreateRequest, on key: StreamKey) {
        inbox.withLock { $0.want(request.range) }
        coming = request.range
        takeChanges()
        listen()
        defer {
            coming = nil
            if !hub.isWatched(request.range) { inbox.withLock { $0.forget(request.range) } }
        }
        // What came may have ended the stream.
        guard sink.streams[key] != nil else { return }
        hub.compacted(service.store.reader.compactRevision)
        let current = revision
        var watch = StrakeWatching.WatchRequest(range: request.range)
        watch.watchID = request.watchID
        watch.startRevision = request.startRevision
        watch.form = WatchForm(request)
        watch.notifiesProgress = request.progressNotify
        switch hub.create(watch, on: key, currentRevision: current) {
        case .created(let watchID):
            send(WatchResponse(watchID: watchID, created: true), revision: current, to: key)
            pump()
        case .compacted(let watchID, let compactRevision):
            send(WatchResponse(watchID: watchID, created: true), revision: current, to: key)
            send(
                WatchResponse(watchID: watchID, canceled: true, compactRevision: compactRevision), revision: 0, to: key)
        case .duplicateID: refuse(.duplicateID, at: current, on: key)
        case .emptyRange: refuse(.emptyRange, at: current, on: key)
        case .negativeStart: refuse(.compacted, at: current, on: key)
        }
    }

    private func refuse(_ reason: WatchCancelReason, at revision: Int64, on key: StreamKey) {
        let response = WatchResponse(watchID: -1, created: true, canceled: true, cancelReason: reason.rawValue)
        send(response, revision: revision, to: key)
    }

    // MARK: Changes

    /// Hands the hub what is in the inbox.
    func takeChanges() {
        var taken = inbox.withLock { $0.take() }
        while let step = taken.next(after: hub.published) {
            switch step {
            case .pass(let revision): pass(through: revision)
            case .publish(let changes, let first, let last): publish(changes, first: first, last: last)
            case .skip(let revision): skip(through: revision)
            }
        }
        if !taken.letters.isEmpty {
            pump()
            settle()
        }
    }

    private func publish(_ changes: PublishedEvents, first: Int64, last: Int64) {
        let batch = LiveBatch(events: changes.events)
        let (reader, service) = (service.store.reader, service)
        let events = LiveEvents(batch: changes.events, reader: reader) { service.reportDamage($0) }
        deliver { hub, sink in
            sink.begin(events, revision: last)
            hub.publish(batch, first: first, last: last, to: &sink)
            sink.end()
        }
    }

    private func pass(through revision: Int64) {
        deliver { hub, sink in
            sink.revision = revision
            hub.pass(through: revision, to: &sink)
        }
    }

    private func listenIfNeeded() {
        if hub.needsEvents { listen() }
    }

    /// Who watches finds the changes up to the revision in history.
    private func skip(through revision: Int64) {
        hub.compacted(service.store.reader.compactRevision)
        deliver { hub, sink in
            sink.begin(nil, revision: revision)
            hub.skip(through: revision, to: &sink)
            sink.end()
        }
    }

    /// Begins to listen: from the next published batch on, and from what is published by now.
    private func listen() {
        if isListening { return }
        isListening = true
        inbox.withLock { $0.listen() }
        // Read after that: a batch that was published without being taken in is at or below it.
        catchUp()
    }

    private func catchUp() {
        let current = revision
        if current > hub.published { deliver { hub, sink in hub.skip(through: current, to: &sink) } }
    }

    /// At the end of whatever may have changed the watchers: who listens, and what the metrics say.
    private func settle() {
        if isListening, !hub.needsEvents {
            isListening = false
            _ = inbox.withLock { $0.stopListening() }
        }
        inbox.forget(hub.takeAbandoned().filter { $0 != coming })
        service.metrics.record(hub.metrics, of: ObjectIdentifier(self))
    }

    private func startTicking() {
        let period = TimeAmount.milliseconds(tickMilliseconds)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.tick() }
    }

    private func stopTicking() {
        ticker?.cancel()
        ticker = nil
    }

    private func tick() {
        // Nobody waits for what is skipped: it only shows how far the blocked watchers are behind.
        if isListening { takeChanges() } else { catchUp() }
        deliver { hub, sink in
            sink.revision = hub.published
            hub.tick(to: &sink)
        }
        pump()
        settle()
        flush()
    }

    /// Writes what the sessions have got, outside a turn that does it anyway.
    private func flush() {
        let loop = sink.streams.values.first?.session.loop
        loop?.flush()
    }

    // MARK: History

    /// Starts the next replay, if one is wanted and none is under way.
    private func pump() {
        guard !rests, hub.hasReplayWork, let request = deliver({ hub, sink in hub.nextReplay(to: &sink) }) else {
            return
        }
        let (reader, eventLoop) = (service.store.reader, eventLoop)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        service.readers.submit { _ in
            let result: Result<Replay, MVCCError>
            do throws(MVCCError) {
                result = .success(try Replay(request, reader: reader))
            } catch {
                result = .failure(error)
            }
            eventLoop.execute { bound.value.replayed(request, result) }
        }
    }

    private func replayed(_ request: ReplayRequest, _ result: Result<Replay, MVCCError>) {
        switch result {
        case .success(let replay): deliver(replay, of: request)
        case .failure(.refused(.compacted(_, let compactRevision))): hub.compacted(compactRevision)
        case .failure(let error):
            // Whoever needs what cannot be read asks again, but not in a circle.
            service.reportDamage("\(error)")
            rests = true
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.scheduleTask(in: Self.damagePause) {
                bound.value.rests = false
                bound.value.pump()
                bound.value.settle()
            }
        }
        deliver { hub, sink in
            sink.begin(nil, revision: hub.published)
            hub.finishReplay(request.id, to: &sink)
            sink.end()
        }
        pump()
        settle()
        flush()
    }

    private func deliver(_ replay: Replay, of request: ReplayRequest) {
        let outcome = deliver { hub, sink in
            sink.begin(replay, revision: hub.published)
            defer { sink.end() }
            return hub.replayed(request.id, replay, scannedThrough: replay.scannedThrough, to: &sink)
        }
        guard case .needs(let range) = outcome else { return }
        // What was published meanwhile is in memory; a failure leaves the watchers to their next replay.
        guard
            let rest = try? Replay(
                request, from: range.lowerBound, through: range.upperBound, reader: service.store.reader),
            rest.scannedThrough == range.upperBound
        else { return }
        deliver { hub, sink in
            sink.begin(rest, revision: hub.published)
            _ = hub.replayed(request.id, rest, scannedThrough: rest.scannedThrough, to: &sink)
            sink.end()
        }
    }
}

extension WatchForm {
    init(_ request: WatchCreateRequest) {
        self = []
        if request.noPut { insert(.noPut) }
        if request.noDelete { insert(.noDelete) }
        if request.wantsPrevious { insert(.previous) }
        if request.fragment { insert(.fragment) }
    }
}
