internal import StrakeModel

extension WatchHub {
    /// The replay under way.
    struct Replay {
        let id: ReplayRequest.ID
        /// Watchers it serves. Some may be gone.
        var watchers: [WatcherReference]
        /// The next revision whose events come.
        var next: Int64
        /// What was published when it began.
        let published: Int64
    }

    /// A watcher that is given events it needs from `next` on.
    private struct Served {
        let group: Int
        let next: Int64
        let id: WatcherID
    }

    /// `nextReplay` has something to do.
    package var hasReplayWork: Bool { underway == nil && !replays.isEmpty }

    /// What to read next for the watchers that are behind. One request is under way at a time.
    package mutating func nextReplay(to consumer: inout some WatchConsumer) -> ReplayRequest? {
        guard hasReplayWork else { return nil }
        replays.settle(in: table)
        for entry in replays.take(below: compactRevision) {
            let slot = Int(entry.reference.slot)
            consumer.cancel(table.id(slot), compactRevision: compactRevision)
            forget(slot)
        }
        giveOwedProgress(to: &consumer)
        let taken = replays.take(revisionsMax: limits.replayRevisions, watchersMax: limits.replayWatchers)
        guard let first = taken.first else { return nil }
        replayCount += 1
        let id = ReplayRequest.ID(number: replayCount)
        // In the order that `serve` sorts by: sorting what is sorted takes one pass.
        let ordered = taken.map { (group: table[Int($0.reference.slot)].group, entry: $0) }
            .sorted { ($0.group, $0.entry.next) < ($1.group, $1.entry.next) }
        underway = Replay(id: id, watchers: ordered.map(\.entry.reference), next: first.next, published: published)
        let served = Set(ordered.map(\.group)).sorted()
        return ReplayRequest(
            id: id, from: first.next, through: min(published, first.next + limits.replayRevisions - 1),
            eventsMax: limits.replayEvents, bytesMax: limits.replayBytes,
            wantsPrevious: served.contains { groups[$0].form.contains(.previous) },
            ranges: served.map { groups[$0].range })
    }

    /// Hands out what a replay has read.
    ///
    /// - Parameters:
    ///   - batch: All events that the request's coverage has, from where the last call ended (at first: from
    ///     `ReplayRequest.from`).
    ///   - scannedThrough: The last revision looked at, as a whole.
    package mutating func replayed(
        _ id: ReplayRequest.ID, _ batch: some WatchBatch, scannedThrough: Int64,
        to consumer: inout some WatchConsumer
    ) -> ReplayOutcome {
        guard let replay = underway, replay.id == id else { return .stale }
        precondition(
            scannedThrough >= replay.next - 1 && scannedThrough <= published,
            "scanned \(replay.next)...\(scannedThrough), published \(published)")
        calls += 1
        serve(replay.watchers, batch, through: scannedThrough, to: &consumer)
        // Who was refused comes back through `drained`, behind this replay.
        underway!.watchers.removeAll { reference in
            guard let slot = table.slot(of: reference), case .replaying = table[slot].state else { return true }
            return false
        }
        underway!.next = scannedThrough + 1
        if scannedThrough == published { return .caughtUp }
        // Only what came meanwhile is filled in: the rest may be long or large.
        let isNear = scannedThrough >= replay.published && published - scannedThrough <= limits.fillRevisions
        return isNear ? .needs(scannedThrough + 1...published) : .behind
    }

    /// Ends a replay: watchers that have all that is published become live, the others wait for their next turn.
    /// Also when nothing could be read.
    package mutating func finishReplay(_ id: ReplayRequest.ID, to consumer: inout some WatchConsumer) {
        guard let replay = underway, replay.id == id else { return }
        underway = nil
        replays.reached(replay.next)
        for reference in replay.watchers {
            guard let slot = table.slot(of: reference), case .replaying(let next) = table[slot].state else { continue }
            if next > published {
                sync(slot)
            } else {
                replays.add(reference, next: next)
            }
        }
        giveOwedProgress(to: &consumer)
    }

    /// Gives each of the watchers, all replaying, the events it needs of the batch, and notes how far it is then.
    mutating func serve(
        _ references: [WatcherReference], _ batch: some WatchBatch, through last: Int64,
        to consumer: inout some WatchConsumer
    ) {
        var served: [Served] = []
        for reference in references {
            guard let slot = table.slot(of: reference), case .replaying(let next) = table[slot].state, next <= last
            else { continue }
            served.append(Served(group: table[slot].group, next: next, id: table.id(slot)))
        }
        if served.isEmpty { return }
        served.sort { ($0.group, $0.next) < ($1.group, $1.next) }
        mark(served)
        for index in 0..<batch.count {
            let kind = batch.kind(at: index)
            batch.withKey(at: index) { groups.match($0, kind, at: index, for: .served) }
        }
        let ids = served.map(\.id)
        for index in groups.touched.indices {
            deliver(groups.touched[index], served, ids, of: batch, to: &consumer)
        }
        groups.endBatch()
        for watcher in served {
            groups[watcher.group].served = 0..<0
            let slot = Int(watcher.id.reference.slot)
            if case .replaying = table[slot].state { move(slot, to: .replaying(next: last + 1)) }
        }
    }

    private mutating func mark(_ served: [Served]) {
        var start = 0
        for index in 1...served.count where index == served.count || served[index].group != served[start].group {
            groups[served[start].group].served = start..<index
            start = index
        }
    }

    /// Watchers of a group that are not equally far get different tails of the same list.
    private mutating func deliver(
        _ group: Int, _ served: [Served], _ ids: [WatcherID], of batch: some WatchBatch,
        to consumer: inout some WatchConsumer
    ) {
        let positions = groups[group].matched
        let end = groups[group].served.upperBound
        var start = groups[group].served.lowerBound
        var tail = 0
        while start < end {
            while tail < positions.count, batch.mainRevision(at: positions[tail]) < served[start].next { tail += 1 }
            if tail == positions.count { return }
            let revision = batch.mainRevision(at: positions[tail])
            var stop = start
            while stop < end, served[stop].next <= revision {
                table[Int(ids[stop].reference.slot)].active = calls
                stop += 1
            }
            let refused = offer(positions[tail...], ids[start..<stop], of: groups[group].form, to: &consumer)
            for index in Set(refused).sorted() {
                move(Int(ids[index].reference.slot), to: .blocked(next: revision))
                streams[ids[index].stream]!.blocked.insert(ids[index].reference)
            }
            start = stop
        }
    }
}
