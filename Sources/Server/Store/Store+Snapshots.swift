internal import StrakeLeases
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
package import StrakeStateMachine
internal import Synchronization

extension Store {
    /// A snapshot as of now. Waits for the batch that is being applied, and takes as long as there are leases.
    package func makeSnapshot() -> SnapshotWriter { applyRole.machine.withLock { $0.writer() } }

    /// The whole state as of now, to be written down for another program. Waits as well.
    package func makeBackup() -> StateBackup { applyRole.machine.withLock { $0.backup() } }

    /// The entry that the node's log begins after.
    package var logStart: UInt64 { replica.withLock { $0.replica.node.status.compacted.rawValue } }

    // MARK: Out

    /// The body of the thread of snapshots: what they need that waits for the apply role or the disk, or takes as long as
    /// there are leases. Neither heartbeats nor messages may wait for that.
    func runSnapshots() {
        while !lifecycle.isClosing {
            snapshotBell.wait()
            if lifecycle.isStopped || lifecycle.isClosing { continue }
            prepareSnapshots()
            snapshots.expire(now: MonotonicClock.milliseconds)
            snapshots.letGo()
            snapshots.removeGarbage()
        }
    }

    /// Pins a snapshot for each member that the log cannot help any more.
    private func prepareSnapshots() {
        for member in snapshots.takeWanted() {
            let snapshot: OutgoingSnapshot
            if let pinned = snapshots.resumable(for: member, logStart: LogIndex(rawValue: logStart)) {
                snapshot = pinned
            } else {
                snapshot = OutgoingSnapshot(makeSnapshot(), name: nextProposalID().rawValue) { [gauges] in
                    gauges.proposalsApplied.load(ordering: .relaxed)
                }
                snapshots.pin(snapshot, for: member)
            }
            options.onNotice(.snapshot("sending a snapshot as of entry \(snapshot.metadata.last) to member \(member)"))
            step { replica, output in
                replica.step(.snapshotPrepared(for: member, snapshot.metadata), into: &output)
                // No head of the stream: it is not wanted any more.
                let isSent = output.messages.contains { message in
                    if case .snapshot = message.body { message.to == member } else { false }
                }
                if !isSent { snapshots.unpin(member) }
            }
        }
    }

    /// Under the replica's lock, so that messages leave in raft's order.
    func send(_ messages: [Message]) {
        guard let transport else { return }
        let isPlain = messages.allSatisfy { if case .snapshot = $0.body { false } else { true } }
        if isPlain { return transport.send(messages) }
        for message in messages {
            guard case .snapshot(let metadata) = message.body else {
                transport.send([message])
                continue
            }
            guard let source = snapshots.outgoing(for: message.to, metadata) else { continue }
            transport.sendSnapshot(metadata, to: message.to, from: source.makeStream())
        }
    }

    /// What became of a stream, and when the next one is offered: told each time, which the growing pauses keep rare.
    func snapshotEnded(_ member: MemberID, name: UInt64, _ outcome: SnapshotOutcome, reason: String?) {
        let now = MonotonicClock.milliseconds
        guard let outcome = snapshots.ended(member, name: name, outcome, now: now), !lifecycle.isStopped else { return }
        var pause: UInt64 = 0
        step { replica, output in
            replica.step(.snapshotReport(member, outcome), into: &output)
            pause = replica.node.snapshotPauseTicks(of: member)
        }
        // Of a member that leads no more, or that needs no snapshot any more, the next try is not its affair.
        guard let reason, pause > 0 else { return }
        let milliseconds = pause * UInt64(options.heartbeatMilliseconds)
        options.onNotice(
            .snapshotFailed(
                "member \(member) did not take a snapshot: \(reason); it is offered one again in \(milliseconds) ms"))
    }

    // MARK: In

    /// A member that this one follows offers a snapshot. The offer is the raft message that its stream begins with.
    func accept(_ metadata: SnapshotMetadata, name: UInt64, from member: MemberID) -> IncomingStream? {
        if lifecycle.isStopped { return nil }
        var isWanted = false
        step { replica, output in
            // The offer does not say its term. Of the leader that this member follows it is the present one; from anybody
            // else it comes too early or too late, and is made again.
            guard replica.node.leader == member else { return }
            let message = Message(
                from: member, to: identity.member, term: replica.node.term, body: .snapshot(metadata))
            replica.step(.receive(message), into: &output)
            isWanted = output.snapshotsToAccept.contains(metadata)
        }
        guard isWanted else { return nil }
        let snapshots = snapshots
        if let begun = snapshots.incoming(metadata, name: name, from: member) {
            let stream = begun.makeStream()
            if let stream {
                options.onNotice(
                    .snapshot(
                        "receiving the snapshot as of entry \(metadata.last) from member \(member) again, from byte "
                            + "\(stream.offset) on"))
            }
            return stream
        }
        let times = SnapshotTimes(gauges)
        let snapshot = IncomingSnapshot(
            metadata, name: name, from: member, clock: { MonotonicClock.milliseconds },
            makeDirectory: {
                times.begin()
                return try snapshots.directories.withLock { directories in
                    let name = try directories.makeNew(for: metadata.last)
                    return (name, directories.path(of: name))
                }
            },
            removeDirectory: { snapshots.addGarbage($0) },
            finishing: { times.beginSync() },
            finished: { [weak self] staged in
                times.end()
                self?.received(staged)
            })
        snapshots.receive(snapshot)
        options.onNotice(.snapshot("receiving a snapshot as of entry \(metadata.last) from member \(member)"))
        return snapshot.makeStream()
    }

    private func received(_ staged: IncomingSnapshot.Staged) {
        snapshots.stage(staged)
        step { replica, output in replica.step(.snapshotReceived(staged.metadata), into: &output) }
    }

    /// Makes the received snapshot the store, and begins the log anew after it. On the disk's thread, in raft's order; no
    /// entry is being applied meanwhile.
    ///
    /// - Returns: False when the snapshot cannot be opened. The member has stopped, with the store and the log that it had.
    func install(_ metadata: SnapshotMetadata) throws(LogError) -> Bool {
        guard let staged = snapshots.takeStaged(metadata) else {
            preconditionFailure("the snapshot at \(metadata.last) was not received")
        }
        var failure: (any Error)?
        gauges.isInstalling.store(true, ordering: .relaxed)
        defer { gauges.isInstalling.store(false, ordering: .relaxed) }
        checkpoint.pausing {
            do {
                try applyRole.machine.withLock { machine in
                    // First: what cannot be opened must not take the place of what can.
                    var next = try StateMachine(tables: staged.tables, founding: metadata)
                    let old = try snapshots.directories.withLock { directories in
                        let old = directories.current
                        try directories.install(staged.directory, snapshot: metadata.last)
                        return old
                    }
                    snapshots.addGarbage(old, machine.store.tables)
                    try log.replaceAll(with: metadata)
                    // Before readers see the new store.
                    auth.replace(with: next.auth)
                    next.succeed(machine)
                    keepClusterState(of: next)
                    machine = next
                }
            } catch {
                failure = error
            }
        }
        switch failure {
        case nil: break
        case let error as LogError: throw error
        case let error as DiskError: throw .disk(error)
        case let error?:
            stopForGood(
                "cannot open the snapshot as of entry \(metadata.last) that was received: \(error). The store and the log "
                    + "are as they were: started again, this member is sent another snapshot")
            return false
        }
        resumeAfterInstall(metadata)
        return true
    }

    private func resumeAfterInstall(_ metadata: SnapshotMetadata) {
        // Made outside of the lock, for which the clock's thread would wait as long as there are leases.
        let all = applyRole.machine.withLock { $0.lessor.all }
        gauges.leases.store(all.count, ordering: .relaxed)
        let clock = LeaseClock(all)
        leases.clock.withLock { $0 = clock }
        gauges.layerBytes.store(0, ordering: .relaxed)
        membersChanged()
        var groups = AnswerGroups()
        let targets = targets.withLock { $0 }
        let revision = reader.revision
        for (index, target) in targets.enumerated() where target.offerSkip(through: revision) {
            groups.with(Int32(index)) { $0.skippedThrough = revision }
        }
        groups.deliver(to: targets)
        checkpoint.wake()
        options.onNotice(.progress(.installed(index: metadata.last.index.rawValue)))
    }
}
