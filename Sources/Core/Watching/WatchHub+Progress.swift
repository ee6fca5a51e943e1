extension WatchHub {
    /// A client asks how far its stream is. One reply, for all of its watchers, once they are all synced.
    package mutating func requestProgress(of key: StreamKey) -> ProgressOutcome {
        guard let stream = streams[key], !stream.watchers.isEmpty else { return .nothing }
        if stream.unsynced == 0 { return .reply(revision: published) }
        streams[key]!.owesProgress = true
        return .owed
    }

    /// Tells synced watchers that had no events for an interval how far they are, a bounded number at a time.
    package mutating func tick(to consumer: inout some WatchConsumer) {
        tick += 1
        calls += 1
        var left = limits.progressPerTick
        while left > 0, dueList.first >= 0, table[dueList.first].due <= tick {
            left -= 1
            let slot = dueList.first
            dueList.remove(slot, from: &table)
            if isSynced(slot), isIdle(slot) { consumer.progress(of: table.id(slot), revision: published) }
            awaitProgress(of: slot)
        }
    }

    mutating func startProgress(of slot: Int) {
        table[slot].notifiesProgress = true
        awaitProgress(of: slot)
    }

    private mutating func awaitProgress(of slot: Int) {
        table[slot].checked = calls
        table[slot].due = tick + Int64(limits.progressIntervalTicks)
        dueList.append(slot, in: &table)
    }

    private func isIdle(_ slot: Int) -> Bool {
        max(table[slot].active, groups[table[slot].group].active) <= table[slot].checked
    }

    /// For a reply that becomes due in the call in hand. A stream without watchers has nothing to hear.
    mutating func takeOwedProgress(of key: StreamKey) -> Int64? {
        settledStreams.removeAll(keepingCapacity: true)
        guard let stream = streams[key], stream.owesProgress, stream.unsynced == 0 else { return nil }
        streams[key]!.owesProgress = false
        return stream.watchers.isEmpty ? nil : published
    }

    mutating func giveOwedProgress(to consumer: inout some WatchConsumer) {
        if settledStreams.isEmpty { return }
        let settled = settledStreams
        for key in settled {
            if let revision = takeOwedProgress(of: key) { consumer.progress(of: key, revision: revision) }
        }
        settledStreams.removeAll(keepingCapacity: true)
    }
}
