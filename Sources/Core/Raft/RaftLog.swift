/// What a member keeps of its log in memory: the terms of all entries, the newest entries themselves, and the
/// configuration changes that are not in effect yet. The durable log is the shell's.
public struct RaftLog: Sendable {
    /// The entry before the first: the compaction point.
    private(set) var base: EntryID
    public private(set) var last: EntryID
    private var runs = TermRuns()
    /// The newest entries, without a gap up to `last`.
    private var cached: [Entry] = []
    private(set) var cachedBytes = 0
    private let cacheBytesMax: Int
    /// Changes that are not in effect yet, by index.
    private(set) var changes: [PendingChange] = []

    struct PendingChange: Sendable {
        var index: LogIndex
        var change: ConfigurationChange
    }

    /// - Parameter base: The compaction point of the durable log.
    public init(after base: EntryID, cacheBytesMax: Int = RaftOptions().cacheBytesMax) {
        self.base = base
        self.last = base
        self.cacheBytesMax = cacheBytesMax
    }

    /// Adds a durable entry while the log is read at start. Cost: constant, amortised.
    public mutating func append(_ entry: Entry) {
        appendNew(entry)
        evict(through: last.index)
    }

    var cachedFirst: LogIndex { last.index + 1 - UInt64(cached.count) }

    func isCached(_ index: LogIndex) -> Bool { index >= cachedFirst && index <= last.index }

    /// Nil before the compaction point and after the end.
    func term(at index: LogIndex) -> Term? {
        if index == last.index { return last.term }
        if index == base.index { return base.term }
        if index < base.index || index > last.index { return nil }
        return runs.term(at: index)
    }

    func holds(_ id: EntryID) -> Bool { term(at: id.index) == id.term }

    /// Raft §5.4.1: the later last term wins, then the longer log.
    func isUpToDate(_ other: EntryID) -> Bool {
        other.term > last.term || (other.term == last.term && other.index >= last.index)
    }

    /// The last entry at or before `index` of a term of at most `term`: everything after it disagrees with a log whose
    /// entry at `index` has that term, since terms never fall along a log.
    func lastPossibleMatch(through index: LogIndex, term: Term) -> EntryID {
        let index = min(index, last.index)
        if index <= base.index { return EntryID(term: index == base.index ? base.term : .zero, index: index) }
        return runs.last(through: index, termAtMost: term) ?? base
    }

    /// Entries from the cache, at least one, then no more than the bytes allow.
    func entries(from first: LogIndex, through end: LogIndex, bytesMax: Int) -> [Entry] {
        precondition(first >= cachedFirst && first <= end && end <= last.index, "\(first)...\(end) is not cached")
        let low = Int(first - cachedFirst)
        let limit = Int(end - cachedFirst)
        var high = low
        var bytes = cached[low].bytes
        while high < limit {
            bytes += cached[high + 1].bytes
            if bytes > bytesMax { break }
            high += 1
        }
        return Array(cached[low...high])
    }

    func checkInvariants() {
        precondition(base.index <= last.index && base.term <= last.term, "base \(base) last \(last)")
        precondition(UInt64(cached.count) <= last.index - base.index, "cached before the compaction point")
        precondition(cachedBytes == cached.reduce(0) { $0 + $1.bytes }, "cached bytes \(cachedBytes)")
        for (offset, entry) in cached.enumerated() {
            precondition(entry.index == cachedFirst + UInt64(offset), "gap at \(entry.id)")
            precondition(term(at: entry.index) == entry.term, "term of \(entry.id)")
        }
        for pair in zip(runs.runs, runs.runs.dropFirst()) {
            precondition(pair.0.first < pair.1.first && pair.0.term < pair.1.term, "term runs out of order")
        }
        precondition(runs.runs.first.map { $0.first == base.index + 1 } ?? (base == last), "terms do not begin at base")
    }
}

extension RaftLog {
    mutating func appendNew(_ entry: Entry) {
        precondition(entry.index == last.index + 1, "entry \(entry.id) after \(last)")
        precondition(entry.term >= last.term, "entry \(entry.id) after \(last)")
        if entry.term != last.term || last == base { runs.append(entry.id) }
        if entry.kind == .configuration {
            guard let change = ConfigurationChange(decoding: entry.data) else {
                preconditionFailure("configuration entry \(entry.id) is not one this program knows")
            }
            changes.append(PendingChange(index: entry.index, change: change))
        }
        cached.append(entry)
        cachedBytes += entry.bytes
        last = entry.id
    }

    mutating func reserve(_ count: Int) {
        // Growing by hand must stay geometric, or each batch would copy the cache.
        if cached.count + count > cached.capacity {
            cached.reserveCapacity(max(cached.count + count, cached.count * 2))
        }
    }

    /// Drops `index` and everything after it.
    mutating func truncate(from index: LogIndex) {
        precondition(index > base.index && index <= last.index, "truncate from \(index), \(base) to \(last)")
        guard let term = term(at: index - 1) else { preconditionFailure("no term before \(index)") }
        while let entry = cached.last, entry.index >= index {
            cachedBytes -= entry.bytes
            cached.removeLast()
        }
        runs.truncate(from: index)
        while let change = changes.last, change.index >= index { changes.removeLast() }
        last = EntryID(term: term, index: index - 1)
    }

    /// Forgets cached entries up to `durable` when the cache is over its bound, a quarter more than needed, so that
    /// moving the rest is paid for by many appends.
    mutating func evict(through durable: LogIndex) {
        guard cachedBytes > cacheBytesMax, durable >= cachedFirst else { return }
        let evictable = min(Int(durable - cachedFirst) + 1, cached.count)
        var count = 0
        while count < evictable, cachedBytes > cacheBytesMax / 4 * 3 {
            cachedBytes -= cached[count].bytes
            count += 1
        }
        cached.removeFirst(count)
    }

    mutating func compact(through index: LogIndex) {
        guard index > base.index else { return }
        guard let term = term(at: index) else { preconditionFailure("compact through \(index), last \(last)") }
        if index >= cachedFirst {
            let count = Int(index - cachedFirst) + 1
            for entry in cached[..<count] { cachedBytes -= entry.bytes }
            cached.removeFirst(count)
        }
        base = EntryID(term: term, index: index)
        if base == last { runs.removeAll() } else { runs.compact(through: index) }
    }

    /// Begins anew after a snapshot.
    mutating func restore(to snapshot: EntryID) {
        self = RaftLog(after: snapshot, cacheBytesMax: cacheBytesMax)
    }

    /// Takes the first change out once its entry is committed.
    mutating func takeChange(through committed: LogIndex) -> PendingChange? {
        guard let first = changes.first, first.index <= committed else { return nil }
        return changes.removeFirst()
    }
}

extension Entry {
    /// What an entry costs beside its data, in memory and about as much in a message.
    static let overheadBytes = 32

    @inline(__always)
    var bytes: Int { data.count + Self.overheadBytes }
}
