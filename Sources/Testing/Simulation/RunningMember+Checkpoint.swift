internal import StrakeLog
internal import StrakeMVCC
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeSimulatedDisk
internal import StrakeStateMachine

// Checkpoints and what they allow to be forgotten, as the server's checkpoint role and housekeeper do it.
extension RunningMember {
    func beginCheckpoint() {
        plan(.checkpointDue, after: world.plan.checkpointMicroseconds)
        guard checkpoint == nil else { return }
        let work = machine.freeze()
        guard let work else { return compact() }
        checkpoint = (work, machine.snapshot)
        plan(.checkpointWritten, after: world.random(1_000...50_000) * owner.diskSlowness)
    }

    func finishCheckpoint() {
        guard let (work, snapshot) = checkpoint else { return }
        if owner.cutsNextCheckpoint {
            owner.cutsNextCheckpoint = false
            owner.disk.simulated.loseContact(afterChanges: Int(world.random(0...15)))
        }
        checkpoint = nil
        do throws(MVCCError) {
            try work.run()
        } catch {
            if owner.disk.simulated.hasLostContact { world.deeds.add("checkpoints cut short") }
            return storeFailed(error, "cannot write a checkpoint")
        }
        machine.store.finish(work)
        world.deeds.add("checkpoints")
        world.note(number, .checkpoint, snapshot.last.index.rawValue, text: "through \(snapshot.last)")
        truncateLog(behind: snapshot)
        compact()
    }

    /// The member dies: of a checkpoint that is being written some transactions are done, and the next one in part.
    func cutCheckpointShort() {
        guard let (work, _) = checkpoint, !owner.disk.simulated.hasLostContact, world.random(0...1) == 0 else { return }
        checkpoint = nil
        var limits = CheckpointLimits()
        limits.pagesMax = world.random(0...1) == 0 ? 1 : limits.pagesMax
        owner.disk.simulated.loseContact(afterChanges: Int(world.random(0...30)))
        do throws(MVCCError) {
            try work.run(limits: limits)
        } catch {
            world.deeds.add("checkpoints cut short")
            if PlannedFault.errno(of: error) == nil {
                world.referee.fail(.opens, "m\(number) cannot write a part of a checkpoint: \(error)")
            }
        }
    }

    /// The server ends itself when its disk fails.
    private func storeFailed(_ error: MVCCError, _ what: String) {
        guard PlannedFault.errno(of: error) != nil else {
            return world.referee.fail(.opens, "m\(number) \(what): \(error)")
        }
        world.deeds.add("failures of the store's disk")
        stopForGood("\(what): \(error)")
    }

    /// The store has everything up to the snapshot: the log need not (`Store.truncateLog`).
    func truncateLog(behind snapshot: SnapshotMetadata) {
        var last = LogIndex.zero
        if snapshot.last.index.rawValue > world.plan.retainedEntries {
            last = snapshot.last.index - world.plan.retainedEntries
            let helpsLaggards = log.bytes < world.plan.laggardLogBytesMax
            step { replica, output in
                if helpsLaggards, let needed = replica.node.neededAfter { last = min(last, needed) }
                last = min(last, replica.node.applied)
                replica.step(.compacted(through: last), into: &output)
            }
        }
        // What fails here shows with the next write.
        world.deeds.add("segments forgotten", (try? log.truncatePrefix(through: snapshot, last: last)) ?? 0)
    }

    private func compact() {
        guard compactionIsDue else { return }
        do throws(MVCCError) {
            world.deeds.add("slices of compaction")
            let slice = try compactor.runSlice(eventsMax: 50)
            audit?.note(removed: slice.removed)
            switch slice.progress {
            case .finished: compactionIsDue = false
            case .unfinished, .held: break
            }
        } catch {
            storeFailed(error, "cannot compact")
        }
    }

    /// The server's scrub, in smaller pieces: so much comes between two of them.
    func scrub() {
        plan(.scrubDue, after: world.random(1_000...200_000))
        do throws(MVCCError) {
            var running: StoreAudit
            if let audit { running = audit } else { running = try StateMachine.audit(compactor) }
            audit = nil
            switch try running.runSlice(bytesMax: Int(world.random(100...4_000))).progress {
            case .unfinished: audit = running
            case .sound: world.deeds.add("scrubs")
            case .historyDiffers:
                world.referee.fail(.scrub, "m\(number) has a history that is not what was applied to it")
            case .leaseKeysDiffer:
                world.referee.fail(.scrub, "m\(number) has keys of leases that are not those of its history")
            }
        } catch {
            world.referee.fail(.scrub, "m\(number) has a store that cannot be read: \(error)")
        }
    }
}
