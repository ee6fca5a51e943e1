internal import StrakeEtcdWire
internal import StrakeModel

/// Why an entry of an etcd's log cannot be carried out here.
package enum EtcdRequestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It changes users or roles, or enables or disables authentication.
    case authentication
    /// It changes keys of the API before this one.
    case oldKey(String)
    case unknown(field: UInt32)
    case malformed

    package var description: String {
        switch self {
        case .authentication: "it changes users, roles or authentication, which only a database is taken over with"
        case .oldKey(let path): "it changes \(path), a key of etcd's v2 API, which Strake does not have"
        case .unknown(let field): "it has a request of a kind that is not known (field \(field))"
        case .malformed: "it cannot be read"
        }
    }
}

/// What an entry of an etcd's log asks for.
enum EtcdRequest: Hashable {
    case command(Command, as: RequestIdentity? = nil)
    /// A member tells its name and where it serves clients.
    case attributes(member: UInt64, name: String, clientURLs: [String])
    /// Reads, and what concerns the cluster that was.
    case nothing

    /// The least time that etcd gives a lease, with its own election timeout.
    private static let ttlMin: Int64 = 2
    private static let oldMethods: Set<String> = ["GET", "QGET", "PUT", "POST", "DELETE", "SYNC"]

    init(entry data: UnsafeRawBufferPointer) throws(EtcdRequestError) {
        guard !data.isEmpty else {
            self = .nothing
            return
        }
        // Up to etcd 3.5 members tell each other their URLs by requests of the old API, in entries of their own.
        if let old = try? OldRequest(protobuf: data), Self.oldMethods.contains(old.method) {
            try self.init(old)
            return
        }
        guard let request = try? InternalRequest(protobuf: data), request.requests.count == 1 else { throw .malformed }
        try self.init(field: request.requests[0].field, request.requests[0].bytes)
        if case .command(let command, _) = self { self = .command(command, as: request.identity) }
    }

    private init(_ old: OldRequest) throws(EtcdRequestError) {
        let isChange = ["PUT", "POST", "DELETE"].contains(old.method)
        // Below /0 lies what members know of each other.
        if isChange, !old.path.hasPrefix("/0/") { throw .oldKey(old.path) }
        self = Self.attributes(old) ?? .nothing
    }

    /// - Returns: Nil unless it sets `/0/members/ID/attributes`.
    private static func attributes(_ old: OldRequest) -> EtcdRequest? {
        let path = old.path.split(separator: "/")
        guard old.method == "PUT", path.count == 4, path[1] == "members", path[3] == "attributes",
            let member = UInt64(path[2], radix: 16), let told = EtcdMember(json: old.value)
        else { return nil }
        return .attributes(member: member, name: told.attributes.name, clientURLs: told.attributes.clientURLs)
    }

    /// - Parameter field: Of `etcdserverpb.InternalRaftRequest`.
    private init(field: UInt32, _ bytes: UnsafeRawBufferPointer) throws(EtcdRequestError) {
        switch field {
        case 2:
            guard let old = try? OldRequest(protobuf: bytes) else { throw .malformed }
            try self.init(old)
        case 3: self = .nothing
        case 4...7: self = .command(try Self.change(field, bytes))
        case 8...11: self = .command(try Self.state(field, bytes))
        // Authenticate gives out a token, which ends with the etcd; the others ask only: AuthStatus, UserGet, UserList,
        // RoleList, RoleGet.
        case 1012, 1013, 1102, 1106, 1107, 1202: self = .nothing
        case 1000..<1300: throw .authentication
        case 1301:
            guard let told = try? StoredMemberAttributes(protobuf: bytes) else { throw .malformed }
            self = .attributes(member: told.member, name: told.name, clientURLs: told.clientURLs)
        // The cluster's version, a downgrade.
        case 1300, 1302, 9900: self = .nothing
        default: throw .unknown(field: field)
        }
    }

    /// Of keys.
    private static func change(_ field: UInt32, _ bytes: UnsafeRawBufferPointer) throws(EtcdRequestError) -> Command {
        do {
            switch field {
            case 4:
                let request = try PutRequest(protobuf: bytes)
                try request.validate()
                return .put(request)
            case 5:
                let request = try DeleteRangeRequest(protobuf: bytes)
                try request.validate()
                return .deleteRange(request)
            case 6:
                let request = try TxnRequest(protobuf: bytes, maxOperations: .max)
                try request.validate(maxOperations: .max)
                return .txn(request)
            default:
                return .compact(revision: try CompactionRequest(protobuf: bytes).revision, physical: false)
            }
        } catch {
            throw .malformed
        }
    }

    /// Of leases and alarms.
    private static func state(_ field: UInt32, _ bytes: UnsafeRawBufferPointer) throws(EtcdRequestError) -> Command {
        do {
            switch field {
            case 8:
                let request = try LeaseGrantRequest(protobuf: bytes)
                return .leaseGrant(id: request.id, ttlSeconds: max(request.ttlSeconds, ttlMin))
            case 9:
                return .leaseRevoke(try LeaseRevokeRequest(protobuf: bytes).id)
            case 10:
                let request = try AlarmRequest(protobuf: bytes)
                guard let number = UInt8(exactly: request.action), let action = AlarmCommand.Action(rawValue: number)
                else { throw EtcdRequestError.malformed }
                return .alarm(AlarmCommand(action: action, member: request.memberID, alarm: request.alarm))
            default:
                let checkpoints = try StoredLeaseCheckpoints(protobuf: bytes).checkpoints
                return .leaseCheckpoint(
                    checkpoints.map {
                        LeaseCheckpoint(id: LeaseID(rawValue: $0.id), remainingSeconds: $0.remainingSeconds)
                    })
            }
        } catch {
            throw .malformed
        }
    }
}
