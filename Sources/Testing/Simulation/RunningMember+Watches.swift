internal import StrakeMVCC
internal import StrakeModel
internal import StrakeTables
internal import StrakeWatching

// Watches, as the server's event loops do it.
extension RunningMember {
    func openWatch(_ stream: Int, of client: Int, from: Int64) {
        watches.streams[stream] = WatchDesk.Stream(client: client)
        watches.inbox.want(.all)
        takeChanges()
        watches.hub.compacted(reader.compactRevision)
        var request = WatchRequest(range: .all)
        request.startRevision = from
        request.notifiesProgress = true
        switch watches.hub.create(request, on: StreamKey(rawValue: stream), currentRevision: reader.revision) {
        case .created: push(.created(revision: reader.revision), to: stream)
        case .compacted(_, let revision): push(.compacted(revision: revision), to: stream)
        case .duplicateID, .emptyRange, .negativeStart: preconditionFailure("a watch of \(request) was refused")
        }
        if !watches.hub.isWatched(.all) { watches.inbox.forget(.all) }
        pumpReplays()
    }

    func closeWatch(_ stream: Int) {
        guard watches.streams.removeValue(forKey: stream) != nil else { return }
        watches.hub.remove(StreamKey(rawValue: stream))
        for range in watches.hub.takeAbandoned() { watches.inbox.forget(range) }
    }

    func requestProgress(of stream: Int) {
        guard watches.streams[stream] != nil else { return }
        if world.plan.flaw == .progressAheadOfEvents { return push(.progress(revision: reader.revision), to: stream) }
        takeChanges()
        if case .reply(let revision) = watches.hub.requestProgress(of: StreamKey(rawValue: stream)) {
            push(.progress(revision: revision), to: stream)
        }
    }

    func publish(_ events: [Event], first: Int64, last: Int64) {
        if watches.inbox.offer(events, events, first: first, last: last) { takeChanges() }
    }

    /// The store came to this revision by a snapshot.
    func skipWatches(through revision: Int64) {
        watches.hub.compacted(reader.compactRevision)
        if watches.inbox.skip(through: revision) { takeChanges() }
    }

    private func takeChanges() {
        var taken = watches.inbox.take()
        while let step = taken.next(after: watches.hub.published) {
            switch step {
            case .pass(let revision): withOutbox([]) { hub, outbox in hub.pass(through: revision, to: &outbox) }
            case .publish(let events, let first, let last):
                withOutbox(events) { hub, outbox in hub.publish(events, first: first, last: last, to: &outbox) }
            case .skip(let revision): withOutbox([]) { hub, outbox in hub.skip(through: revision, to: &outbox) }
            }
        }
        pumpReplays()
    }

    func takenByClient(_ stream: Int) {
        guard var state = watches.streams[stream] else { return }
        state.queued -= 1
        let drains = state.isFull && state.queued <= WatchDesk.queuedMax / 2
        if drains { state.isFull = false }
        watches.streams[stream] = state
        if drains {
            watches.hub.drained(StreamKey(rawValue: stream))
            pumpReplays()
        }
    }

    // MARK: History

    private func pumpReplays() {
        guard watches.replay == nil, watches.hub.hasReplayWork else { return }
        var request: ReplayRequest?
        withOutbox([]) { hub, outbox in request = hub.nextReplay(to: &outbox) }
        guard let request else { return }
        watches.replay = request
        plan(.replayed, after: world.random(100...20_000))
    }

    func finishReplay() {
        guard let request = watches.replay else { return }
        watches.replay = nil
        world.deeds.add("replays")
        do throws(MVCCError) {
            try deliver(request)
        } catch {
            guard case .refused(.compacted(_, let revision)) = error else {
                return world.referee.fail(.opens, "m\(number) cannot read its history: \(error)")
            }
            watches.hub.compacted(revision)
        }
        withOutbox([]) { hub, outbox in hub.finishReplay(request.id, to: &outbox) }
        pumpReplays()
    }

    private func deliver(_ request: ReplayRequest) throws(MVCCError) {
        // What is published when it is read may be more than when it was asked for.
        let (events, through) = try history(request, from: request.from, through: request.through)
        var outcome = ReplayOutcome.stale
        withOutbox(events) { hub, outbox in
            outcome = hub.replayed(request.id, events, scannedThrough: through, to: &outbox)
        }
        guard case .needs(let missing) = outcome else { return }
        let (rest, end) = try history(request, from: missing.lowerBound, through: missing.upperBound)
        guard end == missing.upperBound else { return }
        withOutbox(rest) { hub, outbox in _ = hub.replayed(request.id, rest, scannedThrough: end, to: &outbox) }
    }

    private func history(
        _ request: ReplayRequest, from: Int64, through: Int64
    ) throws(MVCCError) -> (events: [Event], through: Int64) {
        var events: [Event] = []
        var next: Revision? = Revision(main: from)
        while let start = next, events.count < request.eventsMax {
            next = try reader.withView { view throws(MVCCError) in
                try view.events(from: start, through: min(through, view.revision), byteBudget: 64) { event in
                    events.append(Event(kind: event.header.isTombstone ? .delete : .put, keyValue: event.keyValue))
                }
            }
        }
        return (events, next.map { $0.main - 1 } ?? min(through, reader.revision))
    }

    // MARK: Streams

    private func withOutbox(_ events: [Event], _ body: (inout WatchHub, inout WatchOutbox) -> Void) {
        let full = watches.streams.filter { $0.value.queued >= WatchDesk.queuedMax }.keys
        var outbox = WatchOutbox(
            events: events, full: Set(full), forgets: world.plan.flaw == .forgetWhatASlowWatcherMissed)
        body(&watches.hub, &outbox)
        watches.hub.checkInvariants()
        world.deeds.add("refusals of slow watches", outbox.refused.count)
        for stream in outbox.refused { watches.streams[stream]?.isFull = true }
        for (stream, message) in outbox.messages { push(message, to: stream) }
    }

    /// Puts the message behind those that are on their way.
    private func push(_ message: WatchMessage, to stream: Int) {
        guard var state = watches.streams[stream] else { return }
        let arrival = max(state.lastArrival + 1, world.now + world.network.clientDelay())
        state.lastArrival = arrival
        state.queued += 1
        watches.streams[stream] = state
        world.queue.add(.watched(message, client: state.client, stream: stream), at: arrival)
    }
}
