// How a watcher changes from one state to another. All counts are kept here.
extension WatchHub {
    func isSynced(_ slot: Int) -> Bool {
        if case .synced = table[slot].state { return true }
        return false
    }

    /// Gives a new watcher its first state. Its stream is not told.
    mutating func place(_ slot: Int, next: Int64) {
        if next == published + 1 {
            join(slot)
        } else if next > published {
            table[slot].state = .future(start: next)
            futures.add(table.reference(slot), start: next)
        } else {
            table[slot].state = .replaying(next: next)
            replays.add(table.reference(slot), next: next)
        }
        count(table[slot].state, by: 1)
    }

    /// From one state to another, neither of them synced.
    mutating func move(_ slot: Int, to state: Watcher.State) {
        count(table[slot].state, by: -1)
        table[slot].state = state
        count(state, by: 1)
    }

    /// From synced to another state.
    mutating func fall(_ slot: Int, to state: Watcher.State) {
        leave(slot)
        move(slot, to: state)
        streams[table[slot].stream]!.unsynced += 1
    }

    /// From another state to synced: it has all that is published.
    mutating func sync(_ slot: Int) {
        count(table[slot].state, by: -1)
        join(slot)
        count(table[slot].state, by: 1)
        becameSynced(table[slot].stream)
    }

    mutating func forget(_ slot: Int) {
        let watcher = table[slot]
        count(watcher.state, by: -1)
        switch watcher.state {
        case .free: preconditionFailure("no watcher in slot \(slot)")
        case .synced: leave(slot)
        case .future, .replaying, .blocked: becameSynced(watcher.stream)
        }
        if watcher.notifiesProgress { dueList.remove(slot, from: &table) }
        groups.release(watcher.group)
        streams[watcher.stream]!.watchers[watcher.watchID] = nil
        let reference = table.reference(slot)
        table.remove(slot)
        // The queues see by the generation that it is gone.
        switch watcher.state {
        case .future: futures.forget(in: table)
        case .replaying: replays.forget()
        case .blocked: streams[watcher.stream]!.blocked.remove(reference)
        case .free, .synced: break
        }
    }

    private mutating func count(_ state: Watcher.State, by change: Int) {
        switch state {
        case .free: break
        case .synced: counts.synced += change
        case .future: counts.future += change
        case .replaying(let next):
            counts.replaying += change
            slowNextSum &+= Int64(change) &* next
        case .blocked(let next):
            counts.blocked += change
            slowNextSum &+= Int64(change) &* next
        }
    }

    private mutating func becameSynced(_ key: StreamKey) {
        streams[key]!.unsynced -= 1
        if streams[key]!.owesProgress, streams[key]!.unsynced == 0 { settledStreams.append(key) }
    }

    private mutating func join(_ slot: Int) {
        let group = table[slot].group
        table[slot].state = .synced(member: groups[group].members.count)
        groups[group].members.append(table.id(slot))
    }

    private mutating func leave(_ slot: Int) {
        let group = table[slot].group
        guard case .synced(let member) = table[slot].state else { preconditionFailure("slot \(slot) is no member") }
        // The last member takes its place.
        let last = groups[group].members.removeLast()
        if member < groups[group].members.count {
            groups[group].members[member] = last
            table[Int(last.reference.slot)].state = .synced(member: member)
        }
    }

    /// Walks everything and stops at the first thing that does not fit. For tests.
    package func checkInvariants() {
        var counted = WatchMetrics()
        var nextSum: Int64 = 0
        for (slot, watcher) in table.watchers.enumerated() {
            switch watcher.state {
            case .free: continue
            case .synced(let member):
                counted.synced += 1
                precondition(groups[watcher.group].members[member] == table.id(slot))
            case .future(let start):
                counted.future += 1
                precondition(start > published + 1, "revision \(start) is no future at \(published)")
            case .replaying(let next):
                counted.replaying += 1
                nextSum += next
                precondition(next <= published + 1, "revision \(next) to replay at \(published)")
            case .blocked(let next):
                counted.blocked += 1
                nextSum += next
                precondition(next <= published, "blocked at \(next), published \(published)")
                precondition(streams[watcher.stream]!.blocked.contains(table.reference(slot)))
            }
            precondition(streams[watcher.stream]?.watchers[watcher.watchID] == slot)
        }
        precondition(counted == counts, "\(counted) counted, \(counts) kept")
        precondition(nextSum == slowNextSum, "\(nextSum) summed, \(slowNextSum) kept")
        for stream in streams.values {
            let unsynced = stream.watchers.values.count { !isSynced($0) }
            precondition(unsynced == stream.unsynced)
            precondition(!stream.owesProgress || unsynced > 0, "a progress reply was forgotten")
        }
        precondition(settledStreams.isEmpty && groups.touched.isEmpty)
    }
}
