/// Which of the writes handed out are durable, and what that makes durable of the log as it is now.
struct StorageProgress: Sendable {
    private struct PendingWrite: Sendable {
        var number: UInt64
        /// Last entry that becomes durable with it. Lowered when the log is cut: an acknowledgement that arrives late
        /// must not count for entries that have been overwritten since.
        var last: LogIndex
        /// The tick at which it was handed out; `nil` for one that nobody waits for.
        var since: UInt64?
        /// How far the disk knows the log to be committed once it is synced.
        var committed: LogIndex
    }

    private(set) var issued: UInt64 = 0
    private(set) var acknowledged: UInt64 = 0
    /// Everything through here has been handed out to be written.
    private(set) var handed: LogIndex
    /// Invariant: `durable <= handed`.
    private(set) var durable: LogIndex
    /// Last handed out.
    private(set) var hardState: HardState
    /// The commit index that the disk has, and keeps over a power cut; and the one that it will have once all writes are
    /// synced that were to be.
    private(set) var committed: LogIndex
    private(set) var committedHanded: LogIndex
    /// The newest write with a new term or vote.
    private(set) var hardStateWrite: UInt64 = 0
    private var pending: [PendingWrite] = []

    /// - Parameter committed: As the disk knows it.
    init(hardState: HardState, durable: LogIndex, committed: LogIndex) {
        self.hardState = hardState
        self.handed = durable
        self.durable = durable
        self.committed = committed
        self.committedHanded = committed
    }

    /// Numbers the next write.
    ///
    /// - Parameters:
    ///   - now: In ticks; `nil` for a write that may take any time, and that need not be synced.
    ///   - snapshot: The last entry of the snapshot that the write installs.
    mutating func issue(hardState: HardState?, last: LogIndex, now: UInt64?, snapshot: LogIndex = .zero) -> UInt64 {
        issued += 1
        handed = last
        let committed = max((hardState ?? self.hardState).committed, snapshot)
        pending.append(PendingWrite(number: issued, last: last, since: now, committed: committed))
        if now != nil { committedHanded = max(committedHanded, committed) }
        if let hardState {
            if hardState.term != self.hardState.term || hardState.vote != self.hardState.vote {
                hardStateWrite = issued
            }
            self.hardState = hardState
        }
        return issued
    }

    mutating func acknowledge(_ write: UInt64) {
        precondition(write <= issued, "write \(write) was never handed out, last \(issued)")
        guard write > acknowledged else { return }
        acknowledged = write
        var done = 0
        while done < pending.count, pending[done].number <= write {
            durable = max(durable, pending[done].last)
            // A write that need not be synced may not be; it is once a later one is.
            if pending[done].since != nil { committed = max(committed, pending[done].committed) }
            done += 1
        }
        pending.removeFirst(done)
    }

    mutating func truncate(from index: LogIndex, lowersPending: Bool = true) {
        handed = min(handed, index - 1)
        durable = min(durable, index - 1)
        guard lowersPending else { return }
        for place in pending.indices { pending[place].last = min(pending[place].last, index - 1) }
    }

    /// The tick at which the oldest write was handed out that is waited for.
    var waitingSince: UInt64? { pending.lazy.compactMap(\.since).first }

    /// Whatever they have waited for until now, it was not the disk.
    mutating func restartWaiting(now: UInt64) {
        for place in pending.indices where pending[place].since != nil { pending[place].since = now }
    }

    /// The first write after which everything through `index` is durable; zero if it is already.
    func write(covering index: LogIndex) -> UInt64 {
        if index <= durable { return 0 }
        for write in pending where write.last >= index { return write.number }
        preconditionFailure("\(index) has not been handed out, last \(handed)")
    }

    func checkInvariants() {
        precondition(durable <= handed, "durable \(durable) beyond handed \(handed)")
        precondition(acknowledged <= issued, "acknowledged \(acknowledged) of \(issued)")
        precondition(committed <= committedHanded, "committed \(committed) beyond handed \(committedHanded)")
        precondition(pending.allSatisfy { $0.number > acknowledged && $0.last <= handed }, "pending writes")
        precondition(pending.isEmpty == (acknowledged == issued), "pending writes, \(acknowledged) of \(issued)")
    }
}
