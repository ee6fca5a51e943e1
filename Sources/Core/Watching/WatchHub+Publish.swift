internal import StrakeModel

extension WatchHub {
    /// Hands out the events of the revisions from `first` to `last`, each applied batch in its turn.
    ///
    /// - Complexity: O(log n) for each event in the number of ranges watched, and one delivery for each group of
    ///   watchers alike, however many they are.
    package mutating func publish(
        _ batch: some WatchBatch, first: Int64, last: Int64, to consumer: inout some WatchConsumer
    ) {
        precondition(first == published + 1 && last >= first, "\(first)...\(last) published after \(published)")
        calls += 1
        while let slot = futures.pop(through: first, in: table) { sync(slot) }
        for index in 0..<batch.count {
            let kind = batch.kind(at: index)
            batch.withKey(at: index) { groups.match($0, kind, at: index, for: .members) }
        }
        for index in groups.touched.indices { deliver(groups.touched[index], of: batch, to: &consumer) }
        groups.endBatch()
        deliverToStarting(through: last, batch, to: &consumer)
        published = last
        giveOwedProgress(to: &consumer)
    }

    private mutating func deliver(_ group: Int, of batch: some WatchBatch, to consumer: inout some WatchConsumer) {
        groups[group].active = calls
        let refused = offer(
            groups[group].matched[...], groups[group].members[...], of: groups[group].form, to: &consumer)
        if refused.isEmpty { return }
        let next = batch.mainRevision(at: groups[group].matched[0])
        // From the end, as each that leaves moves the last member.
        var previous = -1
        for member in refused.sorted(by: >) where member != previous {
            previous = member
            let watcher = groups[group].members[member]
            fall(Int(watcher.reference.slot), to: .blocked(next: next))
            streams[watcher.stream]!.blocked.insert(watcher.reference)
        }
    }

    /// A function of its own, so that the delivery's hold on the arrays has ended before they change.
    func offer(
        _ positions: ArraySlice<Int>, _ watchers: ArraySlice<WatcherID>, of form: WatchForm,
        to consumer: inout some WatchConsumer
    ) -> [Int] {
        var delivery = Delivery(form: form, positions: positions, watchers: watchers)
        consumer.deliver(&delivery)
        return delivery.refused
    }

    /// Watchers that start inside the batch get a part of it.
    private mutating func deliverToStarting(
        through last: Int64, _ batch: some WatchBatch, to consumer: inout some WatchConsumer
    ) {
        var starting: [WatcherReference] = []
        while let slot = futures.pop(through: last, in: table) {
            guard case .future(let start) = table[slot].state else { continue }
            move(slot, to: .replaying(next: start))
            starting.append(table.reference(slot))
        }
        // One that starts right after the batch is synced from here on.
        serve(starting, batch, through: last, to: &consumer)
        for reference in starting {
            guard let slot = table.slot(of: reference), case .replaying = table[slot].state else { continue }
            sync(slot)
        }
        while let slot = futures.pop(through: last + 1, in: table) { sync(slot) }
    }

    /// Of what was published up to the revision no watcher wants anything, but for those that find it in history.
    package mutating func pass(through revision: Int64, to consumer: inout some WatchConsumer) {
        precondition(revision >= published, "revision \(revision) passed at \(published)")
        published = revision
        while let slot = futures.pop(through: revision + 1, in: table) { sync(slot) }
        giveOwedProgress(to: &consumer)
    }

    /// What was published came without its events, as a snapshot of the store does: the watchers find those in history.
    package mutating func skip(through revision: Int64, to consumer: inout some WatchConsumer) {
        precondition(revision >= published, "revision \(revision) skipped to from \(published)")
        if revision == published { return }
        for slot in table.watchers.indices where isSynced(slot) {
            fall(slot, to: .replaying(next: published + 1))
            replays.add(table.reference(slot), next: published + 1)
        }
        published = revision
        while let slot = futures.pop(through: revision, in: table) {
            guard case .future(let start) = table[slot].state else { continue }
            move(slot, to: .replaying(next: start))
            replays.add(table.reference(slot), next: start)
        }
        while let slot = futures.pop(through: revision + 1, in: table) { sync(slot) }
        giveOwedProgress(to: &consumer)
    }
}
