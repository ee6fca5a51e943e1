package import StrakeLeases
internal import StrakeLog
package import StrakeModel
internal import StrakeRaft
package import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

extension Store {
    /// The clock thread's body: a raft tick and the leases' work every heartbeat interval.
    func runClock() {
        var nextTick = MonotonicClock.milliseconds + Int64(options.heartbeatMilliseconds)
        var heartbeatSent: Int64?
        while !lifecycle.isClosing {
            // Rung when it is to end; a member that has stopped has nothing else to wait for.
            if lifecycle.isStopped {
                clockBell.wait()
                continue
            }
            let pause = max(0, nextTick - MonotonicClock.milliseconds)
            if clockBell.wait(milliseconds: Int(pause)) || lifecycle.isStopped { continue }
            if snapshots.hasRubbish(now: MonotonicClock.milliseconds) { snapshotBell.ring() }
            // A clock that stood still does not tick for the time it has missed.
            nextTick = max(nextTick, MonotonicClock.milliseconds - 1) + Int64(options.heartbeatMilliseconds)
            let isDiskWaitedFor = !disk.isHeldUpByApplying()
            step { replica, output in
                if !isDiskWaitedFor { replica.step(.diskNotAsked, into: &output) }
                replica.tick(into: &output)
            }
            heartbeatSent = countLateHeartbeats(since: heartbeatSent)
            expireLeases()
            tickPeers()
        }
    }

    /// etcd's bound: what comes later may be a disk, or a machine, that has too much to do.
    ///
    /// - Parameter last: When this leader has sent the heartbeat before the newest one, in milliseconds; nil if it had not.
    /// - Returns: When it has sent the newest one.
    private func countLateHeartbeats(since last: Int64?) -> Int64? {
        guard isLeader else { return nil }
        let now = MonotonicClock.milliseconds
        if let last, now - last > 2 * Int64(options.heartbeatMilliseconds) {
            let others = max(0, cluster.configuration.members.count - 1)
            gauges.lateHeartbeats.add(UInt64(others), ordering: .relaxed)
        }
        return now
    }

    /// What the cluster needs done at every tick.
    private func tickPeers() {
        let now = MonotonicClock.milliseconds
        publisher.tick(self)
        desk.tick(now: now, self)
        promoter.tick(now: now, self)
        autoCompactor.tick(self)
        for attempt in leaderCalls.tick(now: now, hasLeader: hasLeader, applied: appliedIndex) { ask(attempt) }
        checkTransfers()
        compareDigests()
        if isQuarantined { yieldLeadership() }
        if transport != nil { pingPeers() }
        leaveIfRemoved(now: now)
    }

    private func expireLeases() {
        let now = MonotonicClock.milliseconds
        // Heartbeats come from this thread: where the clock is being promoted, or all leases are listed, the next tick looks
        // again.
        guard leases.clock.withLockIfAvailable({ ($0.nextWork ?? .max) <= now }) == true else { return }
        step { replica, output in
            let due = leases.clock.withLockIfAvailable { clock in
                (clock.expired(now: now), clock.checkpointsDue(now: now), leases.term.load(ordering: .relaxed))
            }
            guard let (expired, checkpoints, term) = due else { return }
            if !expired.isEmpty {
                // The term is the leader's whose clock it was: in a later term the entry is not proposed, and does
                // nothing.
                let command = Command.leaseExpire(ids: expired, term: term)
                replica.propose(
                    [(command.encoded(nextProposalID()), expiries.origin(of: expired))],
                    leadingIn: Term(rawValue: term), into: &output)
            }
            proposeCheckpoints([checkpoints], nil, leadingIn: term, replica: &replica, into: &output)
        }
    }

    /// In the lock in which the clock has handed them out: a keep-alive that comes behind them has a renewal proposed that
    /// undoes them, and they must not stand behind that in the log. One that is lost only gives the leases back some time.
    private func proposeCheckpoints(
        _ batches: [[LeaseCheckpoint]], _ origin: RequestOrigin?, leadingIn term: UInt64, replica: inout Replica,
        into output: inout ReplicaOutput
    ) {
        var commands: [(data: [UInt8], origin: RequestOrigin?)] = []
        for checkpoints in batches where !checkpoints.isEmpty {
            commands.append((Command.leaseCheckpoint(checkpoints).encoded(nextProposalID()), origin))
        }
        if commands.isEmpty { return }
        replica.propose(commands, leadingIn: Term(rawValue: term), into: &output)
    }

    /// Proposes what only the leader of that term may.
    func propose(_ commands: [(data: [UInt8], origin: RequestOrigin?)], leadingIn term: Term) {
        step { replica, output in replica.propose(commands, leadingIn: term, into: &output) }
    }

    /// Gives a lease that a checkpoint has shortened its whole time again. In this leadership only: the next one may have
    /// begun to count down the rest by then, and would not hear of it.
    package func propose(_ renewal: LeaseRenewal, leadingIn term: UInt64, _ origin: RequestOrigin) {
        if lifecycle.isStopped { return fail([origin], .stopped) }
        let command = Command.leaseCheckpoint([renewal.checkpoint])
        propose([(command.encoded(nextProposalID()), origin)], leadingIn: Term(rawValue: term))
        giveUpIfStopped()
    }

    /// A name for a proposal that no other member gives out, nor this one again.
    package func nextProposalID() -> ProposalID {
        let count = proposalCount.wrappingAdd(1, ordering: .relaxed).newValue
        // Spread, so that members with the same seed do not count through each other's names.
        return ProposalID(rawValue: options.seed &+ memberID &* 0x9e37_79b9_7f4a_7c15 &+ count)
    }

    /// Writes down how much time each lease has left, so that a restart does not give it all back.
    func saveLeaseTimes() {
        guard !lifecycle.isStopped, isLeader else { return }
        let now = MonotonicClock.milliseconds
        let waiter = BlockingTarget()
        let origin = RequestOrigin(target: register(waiter), token: 0)
        step { replica, output in
            let (batches, term) = leases.clock.withLock { clock in
                (clock.shutdownCheckpoints(now: now), leases.term.load(ordering: .relaxed))
            }
            waiter.expect(batches.count)
            proposeCheckpoints(batches, origin, leadingIn: term, replica: &replica, into: &output)
        }
        giveUpIfStopped()
        waiter.wait()
    }
}

/// Counts answers, for callers that have a thread to block.
private final class BlockingTarget: AnswerTarget {
    private let missing = Mutex(0)
    private let bell = Doorbell()

    /// Set before the first can come.
    func expect(_ count: Int) {
        missing.withLock { $0 = count }
        if count == 0 { bell.ring() }
    }

    func take(_ batch: AnswerBatch) {
        let isComplete = missing.withLock { missing in
            missing -= batch.answers.count + batch.failures.count
            return missing <= 0
        }
        if isComplete { bell.ring() }
    }

    func wait() { bell.wait() }
}
