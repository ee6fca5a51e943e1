internal import StrakeLog
internal import StrakeMVCC
internal import StrakeRaft
internal import StrakeReplication
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
        do throws(MVCCError) {
            try work.run()
        } catch {
            return world.referee.fail(.opens, "m\(number) cannot write a checkpoint: \(error)")
        }
        machine.store.finish(work)
        checkpoint = nil
        world.deeds.add("checkpoints")
        world.note(number, .checkpoint, snapshot.last.index.rawValue, text: "through \(snapshot.last)")
        truncateLog(behind: snapshot)
        compact()
    }

    /// The member dies: of a checkpoint that is being written some transactions are done, or none.
    func abandonCheckpoint() {
        guard let (work, _) = checkpoint, world.random(0...1) == 0 else { return }
        var limits = CheckpointLimits()
        limits.pagesMax = 1
        limits.slicesMax = Int(world.random(1...4))
        do throws(MVCCError) {
            try work.run(limits: limits)
        } catch {
            world.referee.fail(.opens, "m\(number) cannot write a part of a checkpoint: \(error)")
        }
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
            world.referee.fail(.opens, "m\(number) cannot compact: \(error)")
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
