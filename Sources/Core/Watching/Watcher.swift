/// One watcher's place in the hub.
struct Watcher {
    enum State: Hashable {
        case free
        /// Gets what is published. It is this member of its group.
        case synced(member: Int)
        /// Wants nothing before this revision, which lies above the published one.
        case future(start: Int64)
        /// Waits for a replay, or is served by the one under way. Has everything below `next`.
        case replaying(next: Int64)
        /// Its stream had no room. Has everything below `next`.
        case blocked(next: Int64)
    }

    var state: State = .free
    var stream = StreamKey(rawValue: 0)
    var watchID: Int64 = 0
    var group = -1
    var generation: UInt32 = 0
    var notifiesProgress = false
    /// When it last had events from a replay, in the hub's count of calls.
    var active: UInt64 = 0
    /// When its progress was last looked at, in the hub's count of calls.
    var checked: UInt64 = 0
    /// Tick at which its progress is looked at again.
    var due: Int64 = 0
    // The list of those that are told of progress, by `due`.
    var previousDue = -1
    var nextDue = -1
}

/// All watchers of a hub, in slots that are used again.
struct WatcherTable {
    private(set) var watchers: [Watcher] = []
    private var free: [Int] = []

    var count: Int { watchers.count - free.count }

    subscript(slot: Int) -> Watcher {
        _read { yield watchers[slot] }
        _modify { yield &watchers[slot] }
    }

    mutating func add(_ watcher: Watcher) -> Int {
        if let slot = free.popLast() {
            let generation = watchers[slot].generation
            watchers[slot] = watcher
            watchers[slot].generation = generation
            return slot
        }
        watchers.append(watcher)
        return watchers.count - 1
    }

    mutating func remove(_ slot: Int) {
        let generation = watchers[slot].generation &+ 1
        watchers[slot] = Watcher()
        watchers[slot].generation = generation
        free.append(slot)
    }

    func reference(_ slot: Int) -> WatcherReference {
        WatcherReference(slot: Int32(slot), generation: watchers[slot].generation)
    }

    func id(_ slot: Int) -> WatcherID {
        WatcherID(stream: watchers[slot].stream, watchID: watchers[slot].watchID, reference: reference(slot))
    }

    /// The slot, unless its watcher is gone.
    func slot(of reference: WatcherReference) -> Int? {
        let slot = Int(reference.slot)
        return watchers[slot].generation == reference.generation ? slot : nil
    }
}
