internal import StrakeLog
internal import StrakeRaft
internal import StrakeReplication

// The disk's part, as the server's disk thread does it: everything queued is appended, then one flush covers it, while
// the next batch gathers.
extension RunningMember {
    func startDisk() {
        guard diskBatch.isEmpty, !diskQueue.isEmpty else { return }
        takeDiskBatch()
        do throws(LogError) {
            for case .write(let write) in diskBatch { try append(write) }
        } catch {
            return diskFailed(error)
        }
        world.note(number, .write, UInt64(diskBatch.count), text: diskBatch.brief)
        plan(.flushed, after: world.random(50...world.plan.diskMicroseconds) * owner.diskSlowness)
        if world.plan.flaw == .acknowledgeBeforeSync, let newest = diskBatch.newestWrite { persisted(newest) }
    }

    /// Everything that waits; a snapshot's installation by itself.
    private func takeDiskBatch() {
        let first = diskQueue.firstIndex { if case .restore = $0 { true } else { false } } ?? diskQueue.count
        let count = max(first, 1)
        diskBatch = Array(diskQueue[..<count])
        diskQueue.removeFirst(count)
    }

    private func append(_ write: Write) throws(LogError) {
        var hardState = write.hardState
        if world.plan.flaw == .forgetVote { hardState?.vote = nil }
        try log.append(entries: write.entries, hardState: hardState)
        diskChecker.appended(write.entries)
    }

    func finishDisk() {
        let batch = diskBatch
        var answers: [(LogRead, [Entry])] = []
        do throws(LogError) {
            for work in batch {
                switch work {
                case .read(let read): answers.append((read, try log.entries(for: read)))
                case .restore(let snapshot, _): try install(snapshot)
                case .write: break
                }
            }
            if batch.contains(where: { if case .write(let write) = $0 { write.mustSync } else { false } }) {
                try flush()
            }
        } catch {
            return diskFailed(error)
        }
        if isOver { return }
        // A full disk does not end the log, which has the rest of its segment; another failure shows with the next write.
        if log.wantsNextSegment { try? log.prepareNextSegment() }
        diskBatch = []
        world.deeds.add("reads of the log", answers.count)
        world.note(number, .flush, batch.newestWrite ?? 0)
        for (read, entries) in answers {
            step { replica, output in replica.step(.logRead(read, entries: entries), into: &output) }
        }
        if let newest = batch.newestWrite {
            let queued = world.plan.flaw == .acknowledgeQueued ? diskQueue.newestWrite : nil
            persisted(queued ?? newest)
        }
        startDisk()
    }

    private func flush() throws(LogError) {
        do throws(LogError) {
            try log.sync()
            diskChecker.flushed(log)
        } catch {
            guard world.plan.flaw == .ignoreFailedSync else { throw error }
        }
    }

    private func persisted(_ write: UInt64) {
        step { replica, output in replica.step(.persisted(write: write), into: &output) }
    }

    private func diskFailed(_ error: LogError) { stopForGood("the log failed: \(error)") }
}

extension [DiskWork] {
    var newestWrite: UInt64? {
        var newest: UInt64?
        for work in self {
            switch work {
            case .write(let write): newest = write.number
            case .restore(_, let number): newest = number
            case .read: break
            }
        }
        return newest
    }

    var brief: String {
        map { work in
            switch work {
            case .restore(let snapshot, let number): "#\(number) snapshot \(snapshot.last)"
            case .read(let read): "read \(read.from)...\(read.through)"
            case .write(let write):
                "#\(write.number)" + (write.hardState.map { " term \($0.term)" } ?? "")
                    + (write.entries.last.map { " through \($0.id)" } ?? "")
            }
        }.joined(separator: ", ")
    }
}
