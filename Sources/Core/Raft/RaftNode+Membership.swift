// What a new configuration means to its leader (Raft §6, thesis ch. 4).
extension RaftNode {
    /// The configuration has just come into effect.
    mutating func configurationChanged(at index: LogIndex, into effects: inout [Effect]) {
        let old = role.leading.progress
        let kept = configuration.members
        // Those who go should hear that they are gone, or they would stand for election (thesis §4.2.3). One message, as
        // good as it gets.
        for place in old.indices where !kept.contains(old[place].member) && old[place].member != id {
            sendSnapshotOrAppend(at: place, into: &effects)
        }
        // A new member counts as heard from, or the leader could step down before it had time to answer.
        role.leading.progress = kept.map { member in
            old.first { $0.member == member }
                ?? Progress(member: member, next: log.last.index + 1, isActive: true)
        }
        markVoters()
        noteOwnDurable()
        if let transferee = role.leading.transferee, !configuration.isVoter(transferee) {
            role.leading.transferee = nil
        }
        if !configuration.isVoter(id), role.leading.leavingAt == nil { role.leading.leavingAt = index }
    }

    mutating func markVoters() {
        for place in role.leading.progress.indices {
            let member = role.leading.progress[place].member
            role.leading.progress[place].isVoter = configuration.voters.contains(member)
            role.leading.progress[place].isOutgoing = configuration.outgoing.contains(member)
        }
    }

    /// A joint configuration that says so is left as soon as it is in effect.
    mutating func leaveJointIfDue(into effects: inout [Effect]) {
        guard role.isLeader, configuration.isJoint, configuration.autoLeave, log.changes.isEmpty,
            committed >= role.leading.first
        else { return }
        _ = appendOwn(.configuration, [ConfigurationChange.leaveJoint.encoded()], into: &effects)
    }

    /// A leader that was voted out goes once the disks of a majority of those who stay know it, since before nobody else
    /// might be able to win (thesis §4.2.2). It asks the best of them to take over, which saves them the timeout.
    mutating func finishLeavingIfKnown(into effects: inout [Effect]) {
        guard role.isLeader, let index = role.leading.leavingAt, role.leading.quorumCommitted >= index else { return }
        let best = role.leading.progress.filter { $0.isVoter && $0.member != id }.max { $0.match < $1.match }
        if let best { send(.timeoutNow, to: best.member, into: &effects) }
        becomeFollower(term: term, leader: nil, into: &effects)
    }

    // MARK: Transfer (thesis §3.10)

    mutating func transferLeadership(to member: MemberID, into effects: inout [Effect]) {
        guard role.isLeader else {
            if let leader { send(.transferLeadership(to: member), to: leader, into: &effects) }
            return
        }
        guard configuration.isVoter(member), role.leading.leavingAt == nil else { return }
        if role.leading.transferee == member { return }
        guard member != id, let place = role.leading.place(of: member) else {
            // To stay is to call off a transfer under way.
            role.leading.transferee = nil
            return
        }
        role.leading.transferee = member
        electionElapsed = 0
        if role.leading.progress[place].match < log.last.index {
            sendSnapshotOrAppend(at: place, into: &effects)
        } else {
            handOverIfReady(at: place, into: &effects)
        }
    }

    /// The next leader must hold everything, or it could not win.
    mutating func handOverIfReady(at place: Int, into effects: inout [Effect]) {
        let progress = role.leading.progress[place]
        guard progress.match == log.last.index else { return }
        send(.timeoutNow, to: progress.member, into: &effects)
    }
}
