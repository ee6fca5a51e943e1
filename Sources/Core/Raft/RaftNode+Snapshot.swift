// A follower becomes a snapshot (Raft §7).
extension RaftNode {
    mutating func handle(_ snapshot: SnapshotMetadata, from sender: MemberID, into effects: inout [Effect]) {
        follow(sender, into: &effects)
        if isUseful(snapshot) { return effects.append(.acceptSnapshot(from: sender, snapshot)) }
        answerSnapshot(snapshot, to: sender, into: &effects)
    }

    /// A log that holds the snapshot's last entry holds everything before it too.
    private func isUseful(_ snapshot: SnapshotMetadata) -> Bool {
        snapshot.last.index > committed && !log.holds(snapshot.last)
    }

    /// What the snapshot says is here already.
    private mutating func answerSnapshot(
        _ snapshot: SnapshotMetadata, to sender: MemberID, into effects: inout [Effect]
    ) {
        if log.holds(snapshot.last) { commit(through: snapshot.last.index, into: &effects) }
        let answer = Message.AppendAnswer(result: .accepted(through: committed), committed: committedDurably)
        send(.appendResponse(answer), to: sender, after: .log(through: committed), into: &effects)
    }

    mutating func snapshotReceived(_ snapshot: SnapshotMetadata, into effects: inout [Effect]) {
        // The same one twice is one: what is staged goes by its last entry.
        if staged?.last == snapshot.last { return }
        if restoring?.snapshot.last == snapshot.last {
            restoring?.cameAgain = true
            return
        }
        if let staged, staged.last.index > snapshot.last.index {
            return effects.append(.discardSnapshot(snapshot))
        }
        if let staged { effects.append(.discardSnapshot(staged)) }
        staged = snapshot
        beginRestoreIfReady(into: &effects)
    }

    /// The state machine must stand still while it is replaced.
    mutating func beginRestoreIfReady(into effects: inout [Effect]) {
        guard let snapshot = staged, applying == applied, restoring == nil else { return }
        staged = nil
        guard case .follower = role, isUseful(snapshot) else {
            effects.append(.discardSnapshot(snapshot))
            if case .follower = role, let leader { answerSnapshot(snapshot, to: leader, into: &effects) }
            return
        }
        flush(into: &effects)
        applyRead = nil
        // What is not committed may disagree with the snapshot; older writes no longer make it durable.
        storage.truncate(from: committed + 1)
        log.restore(to: snapshot.last)
        committed = snapshot.last.index
        let write = storage.issue(
            hardState: nil, last: snapshot.last.index, now: ticks, snapshot: snapshot.last.index)
        restoring = Restoring(snapshot: snapshot, write: write)
        effects.append(.restore(snapshot, write: write))
        configuration = snapshot.configuration
        effects.append(.configurationChanged(configuration, at: snapshot.last.index))
        if let leader { answerSnapshot(snapshot, to: leader, into: &effects) }
    }

    mutating func finishRestore(into effects: inout [Effect]) {
        guard let done = restoring, done.write <= storage.acknowledged else { return }
        restoring = nil
        applied = done.snapshot.last.index
        applying = applied
        if done.cameAgain { effects.append(.discardSnapshot(done.snapshot)) }
        // Another one may have come meanwhile.
        beginRestoreIfReady(into: &effects)
    }
}
