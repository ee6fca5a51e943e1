internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import StrakeTables
internal import Synchronization

extension Store {
    /// Memory that the layers may take before applying waits for the checkpoint.
    static let layerBytesMax = 192 << 20

    /// Applies one batch, publishes it and delivers its answers.
    func apply(_ batch: ApplyBatch) {
        var groups = AnswerGroups()
        let leaseChanges: [LeaseNews]
        let result: ApplyResult
        let began = MonotonicClock.nanoseconds
        do throws(StateMachineError) {
            (result, leaseChanges) = try applyRole.machine.withLock { machine throws(StateMachineError) in
                var news: [LeaseNews] = []
                let result = try machine.apply(
                    batch, answers: &groups, news: &news, auth: auth, checkpoint: checkpoint)
                if result.changesMembers || result.changesAlarms { keepClusterState(of: machine) }
                return (result, news)
            }
        } catch {
            stopForGood("cannot apply entry after \(batch.entries.first?.id.description ?? "?"): \(error)", error)
            fail(batch.origins.compactMap(\.self), .stopped)
            return
        }
        note(leaseChanges)
        let targets = targets.withLock { $0 }
        if let published = result.published {
            for (index, target) in targets.enumerated() where target.offer(published) {
                groups.with(Int32(index)) { $0.published = published }
            }
        }
        let nanoseconds = MonotonicClock.nanoseconds - began
        let expected = UInt64(options.slowApplyMilliseconds) * 1_000_000
        gauges.record(result, nanoseconds: nanoseconds, isSlow: nanoseconds > expected)
        if nanoseconds > expected {
            options.onNotice(.progress(.slowApply(nanoseconds: nanoseconds, expected: expected)))
        }
        groups.deliver(to: targets)
        if result.changesMembers { membersChanged() }
        if result.changesAlarms { alarmsChanged() }
        if let last = batch.entries.last { finishApplying(last) }
        if result.compacts { checkpoint.compactionRequested() }
        if result.layerBytes > CheckpointRole.layerBytesDue { checkpoint.wake() }
        if result.layerBytes > Self.layerBytesMax { checkpoint.waitForRelief() }
    }

    private func finishApplying(_ last: Entry) {
        // The leader's own first entry is applied: everything earlier terms left is too, so leases may run. Ahead of the
        // reads that this lets go.
        let term = last.term.rawValue
        if isLeader, gauges.term.load(ordering: .relaxed) == term, lifecycle.beginLeading(term) {
            promoteLeases(in: last.term)
        }
        step { replica, output in replica.applied(through: last.index, into: &output) }
        if lifecycle.awaitsLeading(last.term.rawValue) { lifecycle.markServing() }
    }

    /// Takes as long as there are leases: not in the replica's lock, for which heartbeats would wait.
    private func promoteLeases(in term: Term) {
        let now = MonotonicClock.milliseconds
        leases.clock.withLock { clock in
            clock.promote(now: now, electionTimeout: Int64(options.electionMilliseconds))
            leases.term.store(term.rawValue, ordering: .relaxed)
        }
        step { replica, _ in
            // The leadership has ended meanwhile, and who stopped the clock then may have come before it ran.
            if !replica.isLeader || replica.node.term != term { leases.clock.withLock { $0.demote() } }
        }
    }

    func leadershipChanged(_ leadership: Leadership) {
        checkTransfers()
        gauges.countLeaderChange(leadership.leader != nil)
        options.onNotice(
            .leadership(term: leadership.term.rawValue, isLeader: leadership.role == .leader))
    }

    private func note(_ news: [LeaseNews]) {
        guard !news.isEmpty else { return }
        let now = MonotonicClock.milliseconds
        leases.clock.withLock { clock in
            for item in news {
                switch item {
                case .granted(let lease):
                    clock.granted(lease, now: now)
                    gauges.leaseTTLs.record(UInt64(clamping: lease.ttl))
                case .gone(let id): clock.revoked(id)
                case .checkpointed(let checkpoints): clock.checkpointed(checkpoints)
                }
            }
        }
    }
}

/// What applying told about leases, for the clock.
enum LeaseNews: Sendable {
    case granted(Lease)
    case gone(LeaseID)
    case checkpointed([LeaseCheckpoint])
}

/// What one applied batch came to.
struct ApplyResult: Sendable {
    var published: PublishedEvents?
    var layerBytes = 0
    var compacts = false
    var changesMembers = false
    var changesAlarms = false
    var applied = 0
    var failed = 0
    var events = 0
    var putBytes = 0
    /// That exist after the batch.
    var leases = 0
    var counts = OperationCounts()
    var commands = CommandCounts()
}

extension StateMachine {
    mutating func apply(
        _ batch: ApplyBatch, answers: inout AnswerGroups, news: inout [LeaseNews], auth desk: AuthDesk,
        checkpoint: CheckpointRole
    ) throws(StateMachineError) -> ApplyResult {
        var result = ApplyResult()
        let before = store.reader.revision
        var changesAuth = false
        for (entry, origin) in zip(batch.entries, batch.origins) {
            let applied = try apply(entry)
            if entry.kind == .configuration { result.changesMembers = true }
            guard let outcome = applied else { continue }
            result.applied += 1
            result.counts.count(outcome)
            if let kind = ProposedCommand.kind(of: entry.data) {
                result.commands.count(kind, isRefused: outcome.isRefusal)
            }
            let answer = Answer(
                token: origin?.token ?? 0, index: entry.index.rawValue, revision: store.revision,
                term: entry.term.rawValue, outcome: outcome)
            var isDeferred = false
            switch outcome {
            case .leaseGranted(let id, _): if let lease = lessor.lease(id) { news.append(.granted(lease)) }
            case .leaseRevoked(let id): news.append(.gone(id))
            case .leasesExpired(let ids): news.append(contentsOf: ids.map(LeaseNews.gone))
            case .leasesCheckpointed(let list):
                news.append(.checkpointed(list))
            case .compacted(let isPhysical):
                result.compacts = true
                if isPhysical, let origin {
                    checkpoint.answerOnceCompacted(answer, to: origin.target)
                    isDeferred = true
                }
            case .refused: result.failed += 1
            case .memberSet: result.changesMembers = true
            case .alarms: result.changesAlarms = true
            case .auth(let command):
                desk.applied(command, index: entry.index.rawValue)
                changesAuth = true
            case .put, .deleteRange, .txn: break
            }
            if let origin, !isDeferred { answers.with(origin.target) { $0.answers.append(answer) } }
        }
        // Before the events: nobody is to see what was forbidden ahead of it.
        if changesAuth { desk.show(auth) }
        let events = store.publish()
        result.events = events.count
        result.putBytes = events.reduce(0) { sum, event in
            event.header.isTombstone ? sum : sum + event.header.keyCount + event.header.valueCount
        }
        if store.revision > before {
            result.published = PublishedEvents(
                first: before + 1, last: store.revision, compactRevision: store.compactRevision, events: events)
        }
        result.layerBytes = store.activeBytes
        result.leases = lessor.count
        return result
    }
}

extension Outcome {
    fileprivate var isRefusal: Bool {
        if case .refused = self { true } else { false }
    }
}
