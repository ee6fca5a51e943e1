internal import StrakeLeases
internal import StrakeLog
package import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

extension Store {
    /// The clock thread's body: a raft tick and the leases' work every heartbeat interval.
    func runClock(until closing: Doorbell) {
        while !closing.wait(milliseconds: options.heartbeatMilliseconds) {
            if lifecycle.isStopped { continue }
            step { replica, output in replica.tick(into: &output) }
            expireLeases()
        }
    }

    private func expireLeases() {
        let now = MonotonicClock.milliseconds
        let (expired, checkpoints) = leases.clock.withLock { clock in
            clock.isLeading ? (clock.expired(now: now), clock.checkpointsDue(now: now)) : ([], [])
        }
        if !expired.isEmpty {
            // The term is the leader's whose clock it was: in a later term the entry does nothing.
            let term = gauges.term.load(ordering: .relaxed)
            let command = Command.leaseExpire(ids: expired, term: term)
            propose([(command.encoded(nextProposalID()), expiries.origin(of: expired))])
        }
        if !checkpoints.isEmpty {
            // A lost checkpoint only gives the leases back some time; the next one comes within a second.
            let command = Command.leaseCheckpoint(checkpoints)
            propose([(command.encoded(nextProposalID()), nil)])
        }
    }

    package func nextProposalID() -> ProposalID {
        ProposalID(rawValue: options.seed &+ proposalCount.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    /// Writes down how much time each lease has left, so that a restart does not give it all back.
    func saveLeaseTimes() {
        guard !lifecycle.isStopped else { return }
        let now = MonotonicClock.milliseconds
        let batches = leases.clock.withLock { $0.isLeading ? $0.shutdownCheckpoints(now: now) : [] }
        guard !batches.isEmpty else { return }
        proposeAndWait(batches.map { .leaseCheckpoint($0) })
    }

    /// Tells the cluster this member's name and URLs, if they are not what it knows already.
    func publishAttributes() {
        let attributes = MemberAttributes(
            id: identity.member.rawValue, name: options.name, peerURLs: options.peerURLs,
            clientURLs: options.clientURLs)
        let known = applyRole.machine.withLock { $0.members.first { $0.id == attributes.id } }
        if known != attributes { proposeAndWait([.setMember(attributes)]) }
    }

    /// Proposes commands of the member's own and returns when all have been answered.
    private func proposeAndWait(_ commands: [Command]) {
        let waiter = BlockingTarget(expecting: commands.count)
        let target = register(waiter)
        propose(commands.map { ($0.encoded(nextProposalID()), RequestOrigin(target: target, token: 0)) })
        waiter.wait()
    }
}

/// Counts answers, for callers that have a thread to block.
private final class BlockingTarget: AnswerTarget {
    private let missing: Mutex<Int>
    private let bell = Doorbell()

    init(expecting count: Int) {
        missing = Mutex(count)
    }

    var wantsEvents: Bool { false }

    func take(_ batch: AnswerBatch) {
        let isComplete = missing.withLock { missing in
            missing -= batch.answers.count + batch.failures.count
            return missing <= 0
        }
        if isComplete { bell.ring() }
    }

    func wait() { bell.wait() }
}
