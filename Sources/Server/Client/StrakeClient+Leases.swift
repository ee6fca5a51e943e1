internal import NIOCore
internal import StrakeEtcdWire

/// A lease as it was granted or renewed.
public struct GrantedLease: Hashable, Sendable {
    public var id: LeaseID
    /// How long it lives from the answer on.
    public var ttlSeconds: Int64

    public init(id: LeaseID, ttlSeconds: Int64) {
        self.id = id
        self.ttlSeconds = ttlSeconds
    }
}

/// What is left of a lease.
public struct LeaseStatus: Hashable, Sendable {
    public var id: LeaseID
    /// -1: there is no such lease.
    public var ttlSeconds: Int64
    public var grantedSeconds: Int64
    /// The keys that go with it, if they were asked for.
    public var keys: [[UInt8]]

    public init(id: LeaseID, ttlSeconds: Int64, grantedSeconds: Int64, keys: [[UInt8]]) {
        self.id = id
        self.ttlSeconds = ttlSeconds
        self.grantedSeconds = grantedSeconds
        self.keys = keys
    }
}

extension StrakeClient {
    /// Grants a lease.
    ///
    /// - Parameters:
    ///   - ttlSeconds: At most 9,000,000,000; the server raises what is shorter than it can keep.
    ///   - id: `.none` lets the server choose. Then the call is made again when a member was unavailable, as clientv3 does:
    ///     at worst a lease that nobody knows of expires by itself.
    public func grantLease(
        ttlSeconds: Int64, id: LeaseID = .none
    ) async throws(StrakeClientError) -> Answer<GrantedLease> {
        let request = LeaseGrantRequest(ttlSeconds: ttlSeconds, id: id)
        return try await call(.leaseGrant, request, as: LeaseGrantResponse.self, isRepeatable: id == .none)
            .map { GrantedLease(id: $0.id, ttlSeconds: $0.ttlSeconds) }
    }

    /// Ends a lease and deletes its keys, in one revision.
    ///
    /// - Throws: `isLeaseNotFound`.
    @discardableResult
    public func revokeLease(_ id: LeaseID) async throws(StrakeClientError) -> Header {
        try await call(.leaseRevoke, LeaseRevokeRequest(id: id), as: EmptyResponse.self, isRepeatable: false).header
    }

    /// How long a lease still lives.
    ///
    /// - Parameters:
    ///   - id: As it was granted.
    ///   - wantsKeys: Answer with its keys too.
    public func timeToLive(
        of id: LeaseID, wantsKeys: Bool = false
    ) async throws(StrakeClientError) -> Answer<LeaseStatus> {
        let request = LeaseTimeToLiveRequest(id: id, keys: wantsKeys)
        return try await call(.leaseTimeToLive, request, as: LeaseTimeToLiveResponse.self, isRepeatable: true).map {
            LeaseStatus(
                id: $0.id, ttlSeconds: $0.ttlSeconds, grantedSeconds: $0.grantedSeconds, keys: $0.keys)
        }
    }

    /// All leases there are.
    public func leases() async throws(StrakeClientError) -> Answer<[LeaseID]> {
        try await call(.leaseLeases, EmptyRequest(), as: LeaseLeasesResponse.self, isRepeatable: true)
            .map { $0.leases }
    }

    /// Renews a lease once.
    ///
    /// - Throws: `isLeaseNotFound`, when there is no such lease any more.
    public func keepAliveOnce(_ id: LeaseID) async throws(StrakeClientError) -> Answer<GrantedLease> {
        try await keepAliveOnce(id, timeout: nil)
    }

    /// - Parameter timeout: Nil: the client's own.
    func keepAliveOnce(_ id: LeaseID, timeout: Duration?) async throws(StrakeClientError) -> Answer<GrantedLease> {
        let request = LeaseKeepAliveRequest(id: id)
        let time = timeout.map { TimeAmount($0) } ?? requestTimeout
        let answer = try await callOnce(
            .leaseKeepAlive, request, as: LeaseGrantResponse.self, deadline: time.map { NIODeadline.now() + $0 })
        guard answer.ttlSeconds > 0 else { throw StrakeClientError(EtcdError.leaseNotFound) }
        return answer.map { GrantedLease(id: $0.id, ttlSeconds: $0.ttlSeconds) }
    }

    /// A conversation of one question, which may be asked again.
    private func callOnce<Body: ReadableResponse>(
        _ method: Method, _ request: some WireMessage, as type: Body.Type, deadline: NIODeadline?
    ) async throws(StrakeClientError) -> Answer<Body> {
        var (triesMade, renewals) = (0, 0)
        while true {
            let error: StrakeClientError
            var ticket: Authenticator.Ticket?
            do throws(StrakeClientError) {
                let stream = try await open(method, request, deadline: deadline)
                defer { stream.cancel() }
                ticket = stream.ticket
                switch await stream.next() {
                case .message(let bytes): return try Self.decode(bytes, as: type)
                case .ended(let failure):
                    throw failure ?? StrakeClientError(.unavailable, "the server has ended the stream", wasSent: true)
                }
            } catch let failure {
                error = failure
            }
            if renews(ticket, after: error, &renewals) { continue }
            triesMade += 1
            try await pause(after: error, isRepeatable: true, triesMade: triesMade)
        }
    }
}
