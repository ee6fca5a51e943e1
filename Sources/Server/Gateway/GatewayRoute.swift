/// A path of the gateway: the call it stands for, and the types of its messages.
package struct GatewayRoute: Sendable {
    package enum Shape: Sendable {
        /// One request, one answer.
        case unary
        /// One request, answers one a line.
        case serverStream
        /// Requests one after the other in the body, answers one a line.
        case bothStreams
    }

    /// Of the gRPC method, such as `/etcdserverpb.KV/Range`.
    package let method: String
    package let shape: Shape
    /// Their places in the schema.
    let request: Int
    let response: Int

    /// The beginning of all paths.
    package static let prefix = "/v3/"
    /// What the beginning was before; etcd still takes it.
    private static let oldPrefix = "/v3beta/"

    /// Whether this path is the gateway's, known or not.
    package static func isPrefix(of path: String) -> Bool { path.hasPrefix(prefix) || path.hasPrefix(oldPrefix) }

    /// - Parameter path: One that `isPrefix(of:)` holds for.
    package static func find(_ path: String) -> GatewayRoute? {
        let prefix = path.hasPrefix(oldPrefix) ? oldPrefix : Self.prefix
        return table[String(path.dropFirst(prefix.count))]
    }

    /// The paths, without their beginning.
    package static var paths: [String] { table.keys.sorted() }

    private static let table: [String: GatewayRoute] = {
        var table: [String: GatewayRoute] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            precondition(words.count == 4 || words.count == 5, "no route in \"\(line)\"")
            let shape: Shape =
                switch words.count == 5 ? words[4] : "" {
                case "stream": .serverStream
                case "streams": .bothStreams
                default: .unary
                }
            let route = GatewayRoute(
                method: "/\(domain(of: words[1])).\(words[1])", shape: shape,
                request: Schema.shared.place(of: words[2]), response: Schema.shared.place(of: words[3]))
            precondition(table.updateValue(route, forKey: words[0]) == nil, "two routes for \(words[0])")
        }
        return table
    }()

    /// protobuf's package that the service is in.
    private static func domain(of method: String) -> String {
        if method.hasPrefix("Lock/") { return "v3lockpb" }
        return method.hasPrefix("Election/") ? "v3electionpb" : "etcdserverpb"
    }

    /// A route a line: path, method, request, response, and what streams.
    private static let text = """
        kv/range KV/Range RangeRequest RangeResponse
        kv/put KV/Put PutRequest PutResponse
        kv/deleterange KV/DeleteRange DeleteRangeRequest DeleteRangeResponse
        kv/txn KV/Txn TxnRequest TxnResponse
        kv/compaction KV/Compact CompactionRequest HeaderResponse
        watch Watch/Watch WatchRequest WatchResponse streams
        lease/grant Lease/LeaseGrant LeaseGrantRequest LeaseGrantResponse
        lease/revoke Lease/LeaseRevoke LeaseRequest HeaderResponse
        kv/lease/revoke Lease/LeaseRevoke LeaseRequest HeaderResponse
        lease/keepalive Lease/LeaseKeepAlive LeaseRequest LeaseKeepAliveResponse streams
        lease/timetolive Lease/LeaseTimeToLive LeaseTimeToLiveRequest LeaseTimeToLiveResponse
        kv/lease/timetolive Lease/LeaseTimeToLive LeaseTimeToLiveRequest LeaseTimeToLiveResponse
        lease/leases Lease/LeaseLeases Empty LeaseLeasesResponse
        kv/lease/leases Lease/LeaseLeases Empty LeaseLeasesResponse
        cluster/member/add Cluster/MemberAdd MemberAddRequest MemberAddResponse
        cluster/member/remove Cluster/MemberRemove MemberRequest MembersResponse
        cluster/member/update Cluster/MemberUpdate MemberUpdateRequest MembersResponse
        cluster/member/list Cluster/MemberList MemberListRequest MembersResponse
        cluster/member/promote Cluster/MemberPromote MemberRequest MembersResponse
        maintenance/alarm Maintenance/Alarm AlarmRequest AlarmResponse
        maintenance/status Maintenance/Status Empty StatusResponse
        maintenance/defragment Maintenance/Defragment Empty HeaderResponse
        maintenance/hash Maintenance/Hash Empty HashResponse
        maintenance/hashkv Maintenance/HashKV HashKVRequest HashKVResponse
        maintenance/snapshot Maintenance/Snapshot Empty SnapshotResponse stream
        maintenance/transfer-leadership Maintenance/MoveLeader MoveLeaderRequest HeaderResponse
        maintenance/downgrade Maintenance/Downgrade DowngradeRequest DowngradeResponse
        auth/enable Auth/AuthEnable Empty HeaderResponse
        auth/disable Auth/AuthDisable Empty HeaderResponse
        auth/status Auth/AuthStatus Empty AuthStatusResponse
        auth/authenticate Auth/Authenticate AuthenticateRequest AuthenticateResponse
        auth/user/add Auth/UserAdd UserAddRequest HeaderResponse
        auth/user/get Auth/UserGet NameRequest UserGetResponse
        auth/user/list Auth/UserList Empty UserListResponse
        auth/user/delete Auth/UserDelete NameRequest HeaderResponse
        auth/user/changepw Auth/UserChangePassword UserChangePasswordRequest HeaderResponse
        auth/user/grant Auth/UserGrantRole UserGrantRoleRequest HeaderResponse
        auth/user/revoke Auth/UserRevokeRole UserRevokeRoleRequest HeaderResponse
        auth/role/add Auth/RoleAdd NameRequest HeaderResponse
        auth/role/get Auth/RoleGet RoleRequest RoleGetResponse
        auth/role/list Auth/RoleList Empty RoleListResponse
        auth/role/delete Auth/RoleDelete RoleRequest HeaderResponse
        auth/role/grant Auth/RoleGrantPermission RoleGrantPermissionRequest HeaderResponse
        auth/role/revoke Auth/RoleRevokePermission RoleRevokePermissionRequest HeaderResponse
        lock/lock Lock/Lock LockRequest LockResponse
        lock/unlock Lock/Unlock UnlockRequest HeaderResponse
        election/campaign Election/Campaign CampaignRequest CampaignResponse
        election/proclaim Election/Proclaim ProclaimRequest HeaderResponse
        election/leader Election/Leader LeaderRequest LeaderResponse
        election/observe Election/Observe LeaderRequest LeaderResponse stream
        election/resign Election/Resign ResignRequest HeaderResponse
        """
}
