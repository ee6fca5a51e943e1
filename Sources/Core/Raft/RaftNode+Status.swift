/// How a member stands, for metrics and for deciding what to compact. Costs allocations.
public struct RaftStatus: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        public enum State: Hashable, Sendable {
            case probe, replicate, snapshot
        }
        public var member: MemberID
        public var match: LogIndex
        public var next: LogIndex
        public var state: State
        public var isPaused: Bool
        public var isActive: Bool
        public var inflight: Int
    }

    public var hardState: HardState
    public var leadership: Leadership
    public var configuration: Configuration
    public var last: EntryID
    public var durable: LogIndex
    public var applied: LogIndex
    /// The compaction point.
    public var compacted: LogIndex
    public var transferee: MemberID?
    /// Of a leader; else empty.
    public var members: [Member]
}

extension RaftNode {
    public var lastEntry: EntryID { log.last }
    /// The own disk holds the log through here.
    public var durable: LogIndex { storage.durable }
    public var roleKind: RoleKind { role.kind }
    public var isLeader: Bool { role.isLeader }

    /// All members in touch have the log through here, or get as much with the snapshot on its way. A log compacted
    /// beyond it would make one of them need a snapshot. Nil when the log is no help to any of them.
    public var neededAfter: LogIndex? {
        guard case .leader(let state) = role else { return nil }
        let indexes = state.progress.lazy.filter { $0.member != self.id }.compactMap(\.neededAfter)
        return indexes.filter { $0 >= self.log.base.index }.min()
    }

    /// The member is in the cluster no more, and this one's disk knows it.
    ///
    /// - Parameter index: An entry after whose application the member was in the cluster, or was no more. What is known
    ///   here may be from before the member was added.
    public func hasRemoved(_ member: MemberID, since index: LogIndex) -> Bool {
        restoring == nil && committed >= index && configurationIndex <= storage.committed
            && !configuration.members.contains(member)
    }

    public var status: RaftStatus {
        let leading: LeaderState? = role.isLeader ? role.leading : nil
        return RaftStatus(
            hardState: hardState, leadership: Leadership(term: term, role: role.kind, leader: leader),
            configuration: configuration, last: log.last, durable: storage.durable, applied: applied,
            compacted: log.base.index, transferee: leading?.transferee,
            members: leading?.progress.map(RaftStatus.Member.init) ?? [])
    }
}

extension RaftStatus.Member {
    fileprivate init(_ progress: Progress) {
        member = progress.member
        match = progress.match
        next = progress.next
        switch progress.state {
        case .probe: state = .probe
        case .replicate: state = .replicate
        case .snapshot: state = .snapshot
        }
        isPaused = progress.isPaused
        isActive = progress.isActive
        inflight = progress.inflights.count
    }
}

extension RaftNode {
    /// Nil before the compaction point and after the end.
    package func term(at index: LogIndex) -> Term? { log.term(at: index) }

    /// Of entries in memory, with their overhead.
    package var cachedBytes: Int { log.cachedBytes }
}
