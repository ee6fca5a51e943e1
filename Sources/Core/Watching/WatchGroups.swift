internal import StrakeModel

/// The watchers of one range in one form.
struct WatchGroup {
    var range: KeyRange
    var form: WatchForm
    /// The synced ones, who get what is published. In no order.
    var members: [WatcherID] = []
    /// Watchers that belong here, synced or not.
    var watchers = 0
    /// The next group of the same range, in another form; -1: none.
    var next = -1
    /// When the members last had an event, in the hub's count of calls.
    var active: UInt64 = 0
    /// Positions of the batch in hand that matched. Empty between batches.
    var matched: [Int] = []
    /// While a replay is given out: which part of its list of watchers is of this group.
    var served = 0..<0
}

/// The groups, found by the keys of events: an exact-key table beside an index of ranges.
struct WatchGroups {
    enum Audience {
        /// Groups with synced members.
        case members
        /// Groups marked with a part of a replay's watchers.
        case served
    }

    private(set) var groups: [WatchGroup] = []
    private var free: [Int] = []
    private var keys = KeyTable()
    private var ranges: RangeIndex
    /// Groups with matches in the batch in hand, in the order of their first match.
    private(set) var touched: [Int] = []
    /// Ranges that lost their last watcher since the last call of `takeAbandoned`. Some may have one again.
    private var abandoned: [KeyRange] = []
    /// First groups of the ranges that the key in hand is in. Kept for its memory.
    private var found: [Int] = []

    init(seed: UInt64) {
        ranges = RangeIndex(seed: seed)
    }

    subscript(group: Int) -> WatchGroup {
        _read { yield groups[group] }
        _modify { yield &groups[group] }
    }

    var count: Int { groups.count - free.count }

    // MARK: Groups come and go with their watchers

    mutating func acquire(_ range: KeyRange, _ form: WatchForm) -> Int {
        let first = head(of: range)
        var index = first
        while index >= 0, groups[index].form != form { index = groups[index].next }
        if index < 0 {
            let group = WatchGroup(range: range, form: form, next: first)
            if let reused = free.popLast() {
                index = reused
                groups[index] = group
            } else {
                index = groups.count
                groups.append(group)
            }
            setHead(of: range, to: index)
        }
        groups[index].watchers += 1
        return index
    }

    mutating func release(_ index: Int) {
        groups[index].watchers -= 1
        guard groups[index].watchers == 0 else { return }
        precondition(groups[index].members.isEmpty, "group \(index) has members and no watchers")
        let range = groups[index].range
        let first = head(of: range)
        if first == index {
            setHead(of: range, to: groups[index].next)
        } else {
            var before = first
            while groups[before].next != index { before = groups[before].next }
            groups[before].next = groups[index].next
        }
        if head(of: range) < 0 { abandoned.append(range) }
        // Lets go of the memory, too.
        groups[index] = WatchGroup(range: .key([]), form: [])
        free.append(index)
    }

    func hasWatchers(of range: KeyRange) -> Bool { head(of: range) >= 0 }

    /// Ranges that lost their last watcher since the last call.
    mutating func takeAbandoned() -> [KeyRange] {
        if abandoned.isEmpty { return [] }
        defer { abandoned = [] }
        return abandoned.filter { !hasWatchers(of: $0) }
    }

    private func head(of range: KeyRange) -> Int {
        (range.isSingle ? keys.value(of: range.lower.span.bytes) : ranges.value(of: range)) ?? -1
    }

    private mutating func setHead(of range: KeyRange, to index: Int) {
        switch (range.isSingle, index >= 0) {
        case (true, true): keys.set(range.lower, to: index)
        case (true, false): keys.remove(range.lower)
        case (false, true): ranges.set(range, to: index)
        case (false, false): ranges.remove(range)
        }
    }

    // MARK: Matching a batch

    /// Notes the event in each group of the audience that wants it.
    mutating func match(_ key: RawSpan, _ kind: Event.Kind, at position: Int, for audience: Audience) {
        if let first = keys.value(of: key) { note(kind, at: position, from: first, for: audience) }
        guard ranges.count > 0 else { return }
        found.removeAll(keepingCapacity: true)
        ranges.collect(key, into: &found)
        for index in found.indices { note(kind, at: position, from: found[index], for: audience) }
    }

    private mutating func note(_ kind: Event.Kind, at position: Int, from first: Int, for audience: Audience) {
        var index = first
        while index >= 0 {
            let isWanted =
                switch audience {
                case .members: !groups[index].members.isEmpty
                case .served: !groups[index].served.isEmpty
                }
            if isWanted, groups[index].form.admits(kind) {
                if groups[index].matched.isEmpty { touched.append(index) }
                groups[index].matched.append(position)
            }
            index = groups[index].next
        }
    }

    mutating func endBatch() {
        for index in touched {
            // A delete of a million keys should not leave its memory behind in each group.
            let keepsCapacity = groups[index].matched.count <= 64
            groups[index].matched.removeAll(keepingCapacity: keepsCapacity)
        }
        touched.removeAll(keepingCapacity: true)
    }
}
