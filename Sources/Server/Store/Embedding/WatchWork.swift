internal import StrakeMVCC
internal import StrakeModel
internal import StrakeWatching
internal import Synchronization

/// The watches with their hub, on the desk's thread.
struct WatchWork: ~Copyable {
    private static let tickMillisecondsMax: Int64 = 1_000
    /// After a replay that met damage no other is tried for so long.
    private static let damagePauseMilliseconds: Int64 = 1_000

    private let desk: WatchDesk
    private let setup: WatchSetup
    private var hub: WatchHub
    /// As the inbox says, which nobody else changes.
    private var isListening = false
    private var sink = MailboxSink()
    private let tickMilliseconds: Int64
    private var nextTick: Int64
    /// No replay is started before: the last one met damage.
    private var restsUntil: Int64 = 0

    init(_ desk: WatchDesk, _ setup: WatchSetup) {
        self.desk = desk
        self.setup = setup
        let interval = Int64(setup.progressSeconds) * 1_000
        tickMilliseconds = min(max(interval / 10, 50), Self.tickMillisecondsMax)
        nextTick = MonotonicClock.milliseconds + tickMilliseconds
        var limits = WatchLimits()
        limits.progressIntervalTicks = max(1, Int(interval / tickMilliseconds))
        hub = WatchHub(
            published: setup.reader.revision, compactRevision: setup.reader.compactRevision, limits: limits,
            seed: .random(in: 0 ... .max))
    }

    // MARK: Changes

    /// Hands the hub what is in the inbox.
    ///
    /// - Returns: There was something.
    mutating func takeChanges() -> Bool {
        var taken = desk.inbox.withLock { $0.take() }
        while let step = taken.next(after: hub.published) {
            switch step {
            case .pass(let revision): hub.pass(through: revision, to: &sink)
            case .publish(let changes, let first, let last): publish(changes, first: first, last: last)
            case .skip(let revision): skip(through: revision)
            }
        }
        return !taken.letters.isEmpty
    }

    private mutating func publish(_ changes: PublishedEvents, first: Int64, last: Int64) {
        sink.begin(LiveEvents(batch: changes.events, reader: setup.reader, onDamage: setup.onDamage))
        hub.publish(LiveBatch(events: changes.events), first: first, last: last, to: &sink)
        sink.end()
    }

    private mutating func skip(through revision: Int64) {
        guard revision > hub.published else { return }
        hub.compacted(setup.reader.compactRevision)
        hub.skip(through: revision, to: &sink)
    }

    /// Begins to listen: from the next published batch on, and from what is published by now.
    private mutating func listen() {
        if isListening { return }
        isListening = true
        desk.inbox.withLock { $0.listen() }
        // Read after that: a batch that was published without being taken in is at or below it.
        skip(through: setup.reader.revision)
    }

    // MARK: Calls

    mutating func take(_ call: WatchDesk.Call) {
        switch call {
        case .open(let opening): open(opening)
        case .cancel(let key):
            guard sink.mailboxes.removeValue(forKey: key) != nil else { return }
            hub.remove(key)
        case .drained(let key):
            hub.drained(key)
            if hub.needsEvents { listen() }
        case .progress(let key):
            _ = takeChanges()
            guard case .reply(let revision) = hub.requestProgress(of: key) else { return }
            sink.mailboxes[key]?.putProgress(revision: revision)
        case .replayed(let request, let result): replayed(request, result)
        case .end(let outcome): end(outcome)
        case .close: preconditionFailure("the thread ends by itself")
        }
    }

    private mutating func open(_ opening: WatchDesk.Opening) {
        desk.inbox.withLock { $0.want(opening.range) }
        _ = takeChanges()
        listen()
        hub.compacted(setup.reader.compactRevision)
        var request = WatchRequest(range: opening.range)
        request.startRevision = opening.options.startRevision
        request.form = WatchForm(opening.options)
        request.notifiesProgress = opening.options.notifiesProgress
        sink.mailboxes[opening.key] = opening.mailbox
        let current = setup.reader.revision
        switch hub.create(request, on: opening.key, currentRevision: current) {
        case .created:
            if request.startRevision == 0 { opening.mailbox.begin(at: max(hub.published, current) + 1) }
            opening.opened.give(.success(()))
        case .compacted(_, let compactRevision):
            let requested = opening.options.startRevision
            refuse(opening, .compacted(requested: requested, compactRevision: compactRevision))
        case .emptyRange, .negativeStart, .duplicateID: refuse(opening, .emptyKey)
        }
        if !hub.isWatched(opening.range) { desk.inbox.withLock { $0.forget(opening.range) } }
    }

    private mutating func refuse(_ opening: WatchDesk.Opening, _ error: StoreError) {
        sink.mailboxes[opening.key] = nil
        hub.remove(opening.key)
        opening.opened.give(.failure(.refused(error)))
    }

    /// Ends every watch.
    mutating func end(_ outcome: WatchMailbox.Outcome) {
        for (key, mailbox) in sink.mailboxes {
            mailbox.end(outcome)
            hub.remove(key)
        }
        sink.mailboxes = [:]
    }

    // MARK: Time

    /// At the end of whatever may have changed the watches: what ended goes, who is behind is read for, and nobody is sent
    /// what nobody wants.
    mutating func settle() {
        pump()
        for key in sink.takeEnded() {
            sink.mailboxes[key] = nil
            hub.remove(key)
        }
        if isListening, !hub.needsEvents {
            isListening = false
            _ = desk.inbox.withLock { $0.stopListening() }
        }
        desk.inbox.forget(hub.takeAbandoned())
    }

    /// - Returns: Milliseconds to the next tick.
    mutating func tickIfDue() -> Int {
        let now = MonotonicClock.milliseconds
        guard now >= nextTick else { return Int(nextTick - now) }
        nextTick = now + tickMilliseconds
        setup.onTick()
        if setup.isQuarantined() { end(.failure(.refused(.corrupt))) }
        if !sink.mailboxes.isEmpty {
            _ = takeChanges()
            hub.tick(to: &sink)
            settle()
        }
        return Int(tickMilliseconds)
    }

    // MARK: History

    /// Starts the next replay, if one is wanted and none is under way.
    private mutating func pump() {
        guard hub.hasReplayWork, MonotonicClock.milliseconds >= restsUntil else { return }
        guard let request = hub.nextReplay(to: &sink) else { return }
        let (desk, reader) = (desk, setup.reader)
        let isTaken = setup.readers.submit {
            let result: Result<Replay, MVCCError>
            do throws(MVCCError) {
                result = .success(try Replay(request, reader: reader))
            } catch {
                result = .failure(error)
            }
            desk.post(.replayed(request, result))
        }
        // The store is closing, and the watches with it.
        if !isTaken { hub.finishReplay(request.id, to: &sink) }
    }

    private mutating func replayed(_ request: ReplayRequest, _ result: Result<Replay, MVCCError>) {
        switch result {
        case .success(let replay): deliver(replay, of: request)
        case .failure(.refused(.compacted(_, let compactRevision))): hub.compacted(compactRevision)
        case .failure(let error):
            // Whoever needs what cannot be read asks again, but not in a circle.
            setup.onDamage("\(error)")
            restsUntil = MonotonicClock.milliseconds + Self.damagePauseMilliseconds
        }
        hub.finishReplay(request.id, to: &sink)
    }

    private mutating func deliver(_ replay: Replay, of request: ReplayRequest) {
        sink.begin(replay)
        let outcome = hub.replayed(request.id, replay, scannedThrough: replay.scannedThrough, to: &sink)
        sink.end()
        guard case .needs(let range) = outcome else { return }
        // What was published meanwhile is in memory; a failure leaves the watchers to their next replay.
        let rest = try? Replay(
            request, from: range.lowerBound, through: range.upperBound, reader: setup.reader)
        guard let rest, rest.scannedThrough == range.upperBound else { return }
        sink.begin(rest)
        _ = hub.replayed(request.id, rest, scannedThrough: rest.scannedThrough, to: &sink)
        sink.end()
    }
}

extension WatchForm {
    init(_ options: EmbeddedStore.WatchOptions) {
        self = []
        if !options.wantsPuts { insert(.noPut) }
        if !options.wantsDeletes { insert(.noDelete) }
        if options.wantsPrevious { insert(.previous) }
    }
}
