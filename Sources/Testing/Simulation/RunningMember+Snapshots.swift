internal import StrakeLeases
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeSimulatedDisk
internal import StrakeStateMachine
internal import StrakeStore
internal import Synchronization

// Snapshots from and to other members, as the server's store does it with the same desk, streams and directories.
extension RunningMember {
    // MARK: Out

    /// Pins a snapshot for each member that the log cannot help any more.
    func prepareSnapshots() {
        for member in snapshots.takeWanted() {
            let snapshot: OutgoingSnapshot
            if let pinned = snapshots.resumable(for: member, logStart: replica.node.status.compacted) {
                snapshot = pinned
            } else {
                snapshot = OutgoingSnapshot(machine.writer(), name: world.nextRequest())
                snapshots.pin(snapshot, for: member)
            }
            var isSent = false
            step { replica, output in
                replica.step(.snapshotPrepared(for: member, snapshot.metadata), into: &output)
                isSent = output.messages.contains { message in
                    if case .snapshot = message.body { message.to == member } else { false }
                }
            }
            if !isSent { snapshots.unpin(member) }
        }
        snapshots.letGo()
        snapshots.removeGarbage()
    }

    /// What the desk counts in.
    var milliseconds: Int64 { world.now / 1_000 }

    /// Begins the stream whose head the message is.
    func beginTransfer(_ metadata: SnapshotMetadata, to member: MemberID) {
        guard let source = snapshots.outgoing(for: member, metadata) else { return }
        let transfer = SnapshotTransfer(
            number: world.nextRequest(), from: number, fromLife: life, to: Int(member.rawValue), metadata: metadata,
            name: source.name)
        sending[transfer.to] = (transfer.number, source.makeStream())
        world.note(
            number, .snapshot, transfer.number, metadata.last.index.rawValue,
            text: "of \(metadata.last) to m\(transfer.to)")
        world.carry(.offer, of: transfer, toSender: false)
    }

    /// The receiver of a snapshot says something.
    func receiveReply(_ step: SnapshotTransfer.Step, of transfer: SnapshotTransfer) {
        guard let (number, source) = sending[transfer.to], number == transfer.number else { return }
        switch step {
        case .accepted(let offset):
            do { try source.resume(at: offset) } catch { return world.breakOff(transfer) }
            if offset > 0 { world.deeds.add("snapshots resumed") }
            sendPiece(of: source, transfer)
        case .taken: sendPiece(of: source, transfer)
        case .done: endTransfer(transfer, .delivered)
        case .refused, .broken: endTransfer(transfer, .failed)
        case .offer, .piece, .end: preconditionFailure("\(step) to the sender of a snapshot")
        }
    }

    private func sendPiece(of source: OutgoingStream, _ transfer: SnapshotTransfer) {
        do {
            if let piece = try source.next(bytesMax: world.plan.pieceBytes) {
                world.deeds.add("pieces of snapshots")
                world.carry(.piece(piece), of: transfer, toSender: false)
            } else {
                world.carry(.end, of: transfer, toSender: false)
            }
        } catch {
            // Another snapshot took its place, here or for the receiver.
            world.breakOff(transfer)
        }
    }

    private func endTransfer(_ transfer: SnapshotTransfer, _ outcome: SnapshotOutcome) {
        sending[transfer.to] = nil
        let member = MemberID(rawValue: UInt64(transfer.to))
        guard let outcome = snapshots.ended(member, name: transfer.name, outcome, now: milliseconds) else { return }
        snapshots.letGo()
        world.note(number, .snapshot, transfer.number, text: "to m\(transfer.to): \(outcome)")
        world.deeds.add("snapshots \(outcome)")
        step { replica, output in replica.step(.snapshotReport(member, outcome), into: &output) }
    }

    // MARK: In

    /// The sender of a snapshot says something.
    func receive(_ step: SnapshotTransfer.Step, of transfer: SnapshotTransfer) {
        inbox.milliseconds.store(milliseconds, ordering: .relaxed)
        if case .offer = step {
            let stream = accept(transfer)
            return world.carry(stream.map { .accepted(at: $0.offset) } ?? .refused, of: transfer, toSender: true)
        }
        guard let (number, sink) = receiving, number == transfer.number else {
            // It has begun another life since, or another stream.
            if case .broken = step { return }
            return world.breakOff(transfer)
        }
        do {
            switch step {
            case .piece(let piece):
                try sink.write(piece)
                world.carry(.taken, of: transfer, toSender: true)
            case .end:
                try sink.finish()
                if world.damagedTransfers.contains(transfer.number) {
                    world.referee.fail(.sameState, "m\(self.number) took a snapshot that was damaged on its way")
                }
                receiving = nil
                world.carry(.done, of: transfer, toSender: true)
                stage()
            case .broken:
                receiving = nil
                sink.cancel()
            case .offer, .accepted, .taken, .done, .refused: preconditionFailure("\(step) to who takes a snapshot")
            }
        } catch {
            receiving = nil
            sink.cancel()
            snapshotFailed(error, transfer)
        }
    }

    private func snapshotFailed(_ error: any Error, _ transfer: SnapshotTransfer) {
        if PlannedFault.errno(of: error) != nil || world.damagedTransfers.contains(transfer.number) {
            world.note(number, .snapshot, transfer.number, text: "cannot be built: \(error)")
        } else {
            world.referee.fail(.opens, "m\(number) cannot take the snapshot \(transfer.metadata.last): \(error)")
        }
        world.carry(.refused, of: transfer, toSender: true)
        if owner.disk.simulated.hasLostContact { stopForGood("its power is gone") }
    }

    private func accept(_ transfer: SnapshotTransfer) -> IncomingStream? {
        let (sender, metadata) = (MemberID(rawValue: UInt64(transfer.from)), transfer.metadata)
        var isWanted = false
        step { replica, output in
            guard replica.node.leader == sender else { return }
            let message = Message(from: sender, to: owner.id, term: replica.node.term, body: .snapshot(metadata))
            replica.step(.receive(message), into: &output)
            isWanted = output.snapshotsToAccept.contains(metadata)
        }
        guard isWanted else { return nil }
        let begun = snapshots.incoming(metadata, name: transfer.name, from: sender)
        let snapshot = begun ?? makeIncoming(metadata, name: transfer.name, from: sender)
        guard let stream = snapshot.makeStream() else { return nil }
        receiving = (transfer.number, stream)
        return stream
    }

    private func makeIncoming(_ metadata: SnapshotMetadata, name: UInt64, from sender: MemberID) -> IncomingSnapshot {
        let (snapshots, disk, inbox) = (snapshots, owner.disk, inbox)
        let snapshot = IncomingSnapshot(
            metadata, name: name, from: sender, clock: { inbox.milliseconds.load(ordering: .relaxed) },
            makeDirectory: {
                try snapshots.directories.withLock { directories in
                    let name = try directories.makeNew(for: metadata.last)
                    return (name, disk.realPath(of: directories.path(of: name)))
                }
            },
            removeDirectory: { snapshots.addGarbage($0) },
            finished: { inbox.put($0) })
        snapshots.receive(snapshot)
        snapshots.letGo()
        return snapshot
    }

    private func stage() {
        guard let staged = inbox.take() else { preconditionFailure("a snapshot that is whole was not put down") }
        snapshots.stage(staged)
        step { replica, output in replica.step(.snapshotReceived(staged.metadata), into: &output) }
    }

    /// Makes the received snapshot the store, and begins the log anew after it: in the disk's turn, while nothing is being
    /// applied.
    func install(_ metadata: SnapshotMetadata) throws(LogError) {
        precondition(applyQueue.isEmpty, "m\(number) applies entries while its store is replaced")
        // The server waits for the end of a checkpoint under way.
        if checkpoint != nil { finishCheckpoint() }
        if isOver { return }
        guard let staged = snapshots.takeStaged(metadata) else {
            preconditionFailure("the snapshot at \(metadata.last) was not received")
        }
        if world.cutsNextInstallation {
            world.cutsNextInstallation = false
            world.deeds.add("installations cut short")
            owner.disk.simulated.loseContact(afterChanges: Int(world.random(0...15)))
        }
        var next: StateMachine
        do throws(StateMachineError) {
            // First: what cannot be opened must not take the place of what can.
            next = try StateMachine(tables: staged.tables, founding: metadata)
        } catch {
            return world.referee.fail(.opens, "m\(number) cannot open the snapshot \(metadata.last): \(error)")
        }
        if world.plan.flaw == .restartLogBeforeStore { try log.replaceAll(with: metadata) }
        do throws(DiskError) {
            let old = try snapshots.directories.withLock { directories throws(DiskError) in
                let old = directories.current
                try directories.install(staged.directory, snapshot: metadata.last)
                return old
            }
            snapshots.addGarbage(old)
        } catch {
            throw .disk(error)
        }
        try log.replaceAll(with: metadata)
        next.succeed(machine)
        machine = next
        diskChecker.installed(metadata, log)
        resumeAfterInstall(metadata)
    }

    private func resumeAfterInstall(_ metadata: SnapshotMetadata) {
        leases = LeaseClock(machine.lessor.all)
        compactionIsDue = true
        audit = nil
        world.deeds.add("snapshots installed")
        world.note(
            number, .snapshot, metadata.last.index.rawValue,
            text: "installed \(metadata.last), revision \(machine.store.revision)")
        world.storeChecker.applied(machine.digest, at: number)
        world.storeChecker.installed(metadata.last, revision: machine.store.revision, at: number)
        membersChanged()
        skipWatches(through: reader.revision)
    }
}

/// Takes what a finished stream leaves.
final class SnapshotInbox: Sendable {
    private let staged = Mutex<IncomingSnapshot.Staged?>(nil)
    /// The simulation's time, when the stream was last heard of.
    let milliseconds = Atomic<Int64>(0)

    func put(_ snapshot: IncomingSnapshot.Staged) { staged.withLock { $0 = snapshot } }

    func take() -> IncomingSnapshot.Staged? { staged.withLock { $0.take() } }
}
