/// Watchers that wait for a replay, by the next revision they need.
///
/// Turns alternate. One sweeps upwards through history, taking along each watcher whose revision it reaches, and
/// starts again at the bottom when it is through: every watcher is served within one sweep, and one scan serves all.
/// The other goes to those closest to the end, so that a short gap need not wait for a laggard's whole history.
struct ReplayQueue {
    struct Entry {
        let reference: WatcherReference
        let next: Int64
    }

    /// Ascending by `next`.
    private var entries: [Entry] = []
    /// Not sorted in yet.
    private var arrivals: [Entry] = []
    /// Some of them may be watchers that are gone.
    private var hasStale = false
    /// Where the sweep goes on.
    private var sweep: Int64 = 0
    private var sweeps = false

    var isEmpty: Bool { entries.isEmpty && arrivals.isEmpty }

    mutating func add(_ reference: WatcherReference, next: Int64) {
        arrivals.append(Entry(reference: reference, next: next))
    }

    /// A watcher that may be in here is gone.
    mutating func forget() {
        hasStale = true
    }

    /// The last request ended before this revision.
    mutating func reached(_ next: Int64) {
        if sweeps { sweep = next }
    }

    /// Drops the watchers that are gone and sorts the arrivals in. To be called before taking any out.
    mutating func settle(in table: WatcherTable) {
        if hasStale {
            entries.removeAll { table.slot(of: $0.reference) == nil }
            arrivals.removeAll { table.slot(of: $0.reference) == nil }
            hasStale = false
        }
        if arrivals.isEmpty { return }
        arrivals.sort { $0.next < $1.next }
        var merged: [Entry] = []
        merged.reserveCapacity(entries.count + arrivals.count)
        var arrival = 0
        for entry in entries {
            while arrival < arrivals.count, arrivals[arrival].next < entry.next {
                merged.append(arrivals[arrival])
                arrival += 1
            }
            merged.append(entry)
        }
        merged.append(contentsOf: arrivals[arrival...])
        entries = merged
        arrivals.removeAll(keepingCapacity: arrivals.count <= 1_024)
    }

    /// Takes out those who need revisions below this one.
    mutating func take(below revision: Int64) -> [Entry] {
        let count = lowerBound(revision)
        if count == 0 { return [] }
        let taken = Array(entries[..<count])
        entries.removeFirst(count)
        return taken
    }

    /// Takes out the watchers of the next request: the one whose turn it is and those who need a revision less than
    /// `revisionsMax` after its.
    mutating func take(revisionsMax: Int64, watchersMax: Int) -> [Entry] {
        guard let highest = entries.last else { return [] }
        sweeps.toggle()
        var start = lowerBound(sweeps ? sweep : highest.next)
        // The sweep is through.
        if start == entries.count { start = 0 }
        let bound = entries[start].next + revisionsMax
        var end = start
        while end < entries.count, end - start < watchersMax, entries[end].next < bound { end += 1 }
        let taken = Array(entries[start..<end])
        entries.removeSubrange(start..<end)
        return taken
    }

    private func lowerBound(_ revision: Int64) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].next < revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
