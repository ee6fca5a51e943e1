internal import NIOCore
internal import StrakeEtcdWire

/// What a member tells of itself.
public struct MemberStatus: Hashable, Sendable {
    /// The etcd release that it is compatible with.
    public var version: String
    /// Bytes of its database, and of that in use.
    public var dbSize: Int64
    public var dbSizeInUse: Int64
    public var dbSizeQuota: Int64
    /// The leader's id; 0 is none.
    public var leader: UInt64
    public var raftIndex: UInt64
    public var raftTerm: UInt64
    public var raftAppliedIndex: UInt64
    public var errors: [String]
    public var isLearner: Bool
    public var storageVersion: String

    init(_ status: StatusResponse) {
        version = status.version
        dbSize = status.dbSize
        dbSizeInUse = status.dbSizeInUse
        dbSizeQuota = status.dbSizeQuota
        leader = status.leader
        raftIndex = status.raftIndex
        raftTerm = status.raftTerm
        raftAppliedIndex = status.raftAppliedIndex
        errors = status.errors
        isLearner = status.isLearner
        storageVersion = status.storageVersion
    }
}

/// A raised alarm.
public struct Alarm: Hashable, Sendable {
    /// Which alarm, by its number in etcd's protocol.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public var rawValue: Int32

        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// As a request: all alarms.
        public static let none = Kind(rawValue: 0)
        /// The store is full: what takes room is refused.
        public static let noSpace = Kind(rawValue: 1)
        /// A member's data differ from the others': what changes data is refused.
        public static let corrupt = Kind(rawValue: 2)
    }

    public var memberID: UInt64
    public var kind: Kind

    public init(memberID: UInt64, kind: Kind) {
        self.memberID = memberID
        self.kind = kind
    }
}

/// A hash over all keys and revisions, to compare members by: equal only at one revision and one compact revision.
public struct KVHash: Hashable, Sendable {
    public var hash: UInt32
    public var compactRevision: Int64
    public var hashRevision: Int64

    public init(hash: UInt32, compactRevision: Int64, hashRevision: Int64) {
        self.hash = hash
        self.compactRevision = compactRevision
        self.hashRevision = hashRevision
    }
}

extension StrakeClient {
    /// What one member tells of itself.
    ///
    /// - Parameter endpoint: Which member; it need not be among `endpoints`.
    public func status(of endpoint: String) async throws(StrakeClientError) -> Answer<MemberStatus> {
        try await call(.status, EmptyRequest(), as: StatusResponse.self, at: endpoint).map { MemberStatus($0) }
    }

    /// What the member at the endpoint that is next in turn tells of itself, over the connection that the client keeps.
    package func status() async throws(StrakeClientError) -> Answer<MemberStatus> {
        try await call(.status, EmptyRequest(), as: StatusResponse.self, isRepeatable: true).map { MemberStatus($0) }
    }

    /// The alarms that are raised.
    public func alarms() async throws(StrakeClientError) -> Answer<[Alarm]> {
        try await alarm(AlarmRequest(action: 0), isRepeatable: true)
    }

    /// Takes an alarm back. Returns it, if it was raised.
    public func disarm(_ alarm: Alarm) async throws(StrakeClientError) -> Answer<[Alarm]> {
        let request = AlarmRequest(action: 2, memberID: alarm.memberID, alarm: alarm.kind.rawValue)
        return try await self.alarm(request, isRepeatable: false)
    }

    private func alarm(
        _ request: AlarmRequest, isRepeatable: Bool
    ) async throws(StrakeClientError) -> Answer<[Alarm]> {
        try await call(.alarm, request, as: AlarmResponse.self, isRepeatable: isRepeatable)
            .map { $0.alarms.map { Alarm(memberID: $0.memberID, kind: Alarm.Kind(rawValue: $0.alarm)) } }
    }

    /// Asks a member to give space back. A Strake member answers at once: it uses free space again by itself.
    @discardableResult
    public func defragment(_ endpoint: String) async throws(StrakeClientError) -> Header {
        try await call(.defragment, EmptyRequest(), as: EmptyResponse.self, at: endpoint).header
    }

    /// A member's hash over its keys.
    ///
    /// - Parameters:
    ///   - endpoint: Which member; it need not be among the client's.
    ///   - revision: Up to this one; 0 is the newest.
    public func hashKV(
        of endpoint: String, revision: Int64 = 0
    ) async throws(StrakeClientError) -> Answer<KVHash> {
        var request = HashKVRequest()
        request.revision = revision
        return try await call(.hashKV, request, as: HashKVResponse.self, at: endpoint).map {
            KVHash(hash: $0.hash, compactRevision: $0.compactRevision, hashRevision: $0.hashRevision)
        }
    }

    /// Hands the leadership to another member.
    ///
    /// - Parameters:
    ///   - id: Of a member that votes.
    ///   - endpoint: The member that leads; another one refuses.
    @discardableResult
    public func moveLeader(to id: UInt64, from endpoint: String) async throws(StrakeClientError) -> Header {
        var request = MoveLeaderRequest()
        request.targetID = id
        return try await call(.moveLeader, request, as: EmptyResponse.self, at: endpoint).header
    }

    /// Whether the cluster could go back to an earlier etcd version. Returns the version that it has.
    ///
    /// - Parameter version: As `3.5`.
    /// - Throws: `invalidArgument` when it could not; Strake's files cannot be read by any etcd.
    public func validateDowngrade(to version: String) async throws(StrakeClientError) -> Answer<String> {
        try await downgrade(0, version)
    }

    /// Begins to go back to an earlier etcd version. Strake refuses.
    public func enableDowngrade(to version: String) async throws(StrakeClientError) -> Answer<String> {
        try await downgrade(1, version)
    }

    /// Calls a downgrade off.
    ///
    /// - Throws: `failedPrecondition` when there is none.
    public func cancelDowngrade() async throws(StrakeClientError) -> Answer<String> { try await downgrade(2, "") }

    private func downgrade(
        _ action: Int32, _ version: String
    ) async throws(StrakeClientError) -> Answer<String> {
        var request = DowngradeRequest()
        (request.action, request.version) = (action, version)
        return try await call(.downgrade, request, as: DowngradeResponse.self, isRepeatable: false).map { $0.version }
    }

    /// The whole state in etcd's file format, piece by piece. The last 32 bytes of all are the SHA-256 of those before.
    ///
    /// - Parameter timeout: For all of it, after which `next()` throws `deadlineExceeded`; nil is without end.
    public func snapshot(
        within timeout: Duration? = nil
    ) async throws(StrakeClientError) -> MessageSequence<[UInt8]> {
        let deadline = timeout.map { NIODeadline.now() + TimeAmount($0) }
        let stream = try await open(.snapshot, EmptyRequest(), token: .new, deadline: deadline)
        return MessageSequence(stream) { bytes throws(StrakeClientError) in
            do {
                return try bytes.withUnsafeBytes { try SnapshotResponse(protobuf: $0) }.blob
            } catch {
                throw StrakeClientError(.internal, "the answer is no SnapshotResponse: \(error)", wasSent: true)
            }
        }
    }
}
