package import StrakeEtcdWire

/// A member of the cluster.
public struct Member: Hashable, Sendable {
    public var id: UInt64
    /// Empty until the member has started.
    public var name: String
    public var peerURLs: [String]
    public var clientURLs: [String]
    /// It receives the log and does not vote.
    public var isLearner: Bool

    public init(id: UInt64, name: String, peerURLs: [String], clientURLs: [String], isLearner: Bool) {
        self.id = id
        self.name = name
        self.peerURLs = peerURLs
        self.clientURLs = clientURLs
        self.isLearner = isLearner
    }

    init(_ member: ClusterMember) {
        self.init(
            id: member.id, name: member.name, peerURLs: member.peerURLs, clientURLs: member.clientURLs,
            isLearner: member.isLearner)
    }
}

/// A member that was added, and all members after it.
public struct AddedMember: Hashable, Sendable {
    public var member: Member
    public var members: [Member]

    public init(member: Member, members: [Member]) {
        self.member = member
        self.members = members
    }
}

extension StrakeClient {
    /// All members.
    ///
    /// - Parameter isLinearizable: Prove that it is the newest list. `false` takes what one member has, without a quorum.
    public func members(isLinearizable: Bool = true) async throws(StrakeClientError) -> Answer<[Member]> {
        var request = MemberListRequest()
        request.linearizable = isLinearizable
        return try await call(.memberList, request, as: MemberListResponse.self, isRepeatable: true)
            .map { $0.members.map { Member($0) } }
    }

    /// Adds a member, which is to be started with state `existing` afterwards.
    public func addMember(
        peerURLs: [String], isLearner: Bool = false
    ) async throws(StrakeClientError) -> Answer<AddedMember> {
        var request = MemberAddRequest()
        (request.peerURLs, request.isLearner) = (peerURLs, isLearner)
        return try await call(.memberAdd, request, as: MemberAddResponse.self, isRepeatable: false)
            .map { AddedMember(member: Member($0.member), members: $0.members.map { Member($0) }) }
    }

    /// Removes a member. Returns the members that are left.
    public func removeMember(_ id: UInt64) async throws(StrakeClientError) -> Answer<[Member]> {
        var request = MemberRemoveRequest()
        request.id = id
        return try await call(.memberRemove, request, as: MemberListResponse.self, isRepeatable: false)
            .map { $0.members.map { Member($0) } }
    }

    /// Changes where a member listens for the others.
    public func updateMember(_ id: UInt64, peerURLs: [String]) async throws(StrakeClientError) -> Answer<[Member]> {
        var request = MemberUpdateRequest()
        (request.id, request.peerURLs) = (id, peerURLs)
        return try await call(.memberUpdate, request, as: MemberListResponse.self, isRepeatable: false)
            .map { $0.members.map { Member($0) } }
    }

    /// Asks for the next step of a replacement, and how far it is; to be asked again until it is done. etcd does not know it.
    package func replaceMember(
        _ id: UInt64, peerURLs: [String]
    ) async throws(StrakeClientError) -> Answer<MemberReplaceResponse> {
        var request = MemberReplaceRequest()
        (request.id, request.peerURLs) = (id, peerURLs)
        return try await call(.memberReplace, request, as: MemberReplaceResponse.self, isRepeatable: true)
    }

    /// Makes a learner a voter.
    public func promoteMember(_ id: UInt64) async throws(StrakeClientError) -> Answer<[Member]> {
        var request = MemberPromoteRequest()
        request.id = id
        return try await call(.memberPromote, request, as: MemberListResponse.self, isRepeatable: false)
            .map { $0.members.map { Member($0) } }
    }
}
