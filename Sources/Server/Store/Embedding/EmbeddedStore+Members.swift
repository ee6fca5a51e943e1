internal import StrakeModel
internal import StrakeStateMachine

extension EmbeddedStore {
    /// One member of the cluster.
    public struct Member: Hashable, Sendable {
        public var id: UInt64
        /// Empty until it was started for the first time.
        public var name: String
        public var peerURLs: [String]
        public var clientURLs: [String]
        /// It replicates, and does not vote yet.
        public var isLearner: Bool
    }

    /// What a member that is added may do.
    public enum MemberRole: Hashable, Sendable {
        case voter
        /// Replicates, and does not vote until it is promoted: it cannot cost the cluster its majority.
        case learner
    }

    /// The members, as this one knows them; of a closed store, as it knew them.
    public var members: [Member] {
        switch parts.state {
        case .open(let running): Member.all(of: running.store)
        case .closed(_, let members): members
        }
    }

    /// Lets a new member in, which can be started then, on an empty directory, by `.tcp(joining:)`.
    ///
    /// - Returns: Its id.
    /// - Throws: `refused` with `memberURLsInvalid`, `peerURLExists`, `tooManyLearners`, `unhealthy` or `notEnoughStarted`
    ///   when the cluster could lose its majority, or what keeps it from answering.
    public func addMember(
        peerURLs: [String], as role: MemberRole = .learner
    ) async throws(EmbeddedStoreError) -> UInt64 {
        guard !peerURLs.isEmpty else { throw .refused(.memberURLsInvalid) }
        let id = UInt64.random(in: 1...UInt64.max)
        try await change(.add(id, peerURLs: peerURLs.sorted(), isLearner: role == .learner))
        return id
    }

    /// Makes a voter of a learner that has caught up.
    ///
    /// - Throws: `refused` with `memberNotFound`, `notLearner`, `learnerNotReady`, or as `addMember`.
    public func promoteMember(_ id: UInt64) async throws(EmbeddedStoreError) {
        try await change(.promote(id))
    }

    /// Removes a member, which stops by itself once the others can do without it.
    ///
    /// - Throws: `refused` with `memberNotFound`, or as `addMember`.
    public func removeMember(_ id: UInt64) async throws(EmbeddedStoreError) {
        try await change(.remove(id))
    }

    /// Hands the leadership over, if this member has it, and returns when the other one leads.
    ///
    /// - Throws: `refused` with `notLeader`, `badLeaderTransferee` or `timeout`.
    public func moveLeader(to id: UInt64) async throws(EmbeddedStoreError) {
        let store = try store
        try await desk.ask { answer in
            store.moveLeader(to: id) { error in answer(error.map { .failure($0) } ?? .success(())) }
        }
    }

    private func change(_ change: MembershipChange) async throws(EmbeddedStoreError) {
        let store = try store
        try await desk.ask { store.change(change, answer: $0) }
    }
}

extension EmbeddedStore.Member {
    static func all(of store: Store) -> [Self] {
        store.memberList.map { attributes, isLearner in
            Self(
                id: attributes.id, name: attributes.name, peerURLs: attributes.peerURLs,
                clientURLs: attributes.clientURLs, isLearner: isLearner)
        }
    }
}
