internal import StrakeHTTP2

/// The gRPC methods that are served. The raw value is the method's number in the table.
enum Method: Int, CaseIterable {
    case range, rangeStream, put, deleteRange, txn, compact
    case watch
    case leaseGrant, leaseRevoke, leaseKeepAlive, leaseTimeToLive, leaseLeases
    case alarm, status, defragment, hash, hashKV, snapshot, moveLeader
    case memberList, memberAdd, memberRemove, memberUpdate, memberPromote
    case healthCheck, healthWatch
    case memberReplace
    case downgrade
    case lock, unlock
    case campaign, proclaim, electionLeader, observe, resign
    case authEnable, authDisable, authStatus, authenticate
    case userAdd, userGet, userList, userDelete, userChangePassword, userGrantRole, userRevokeRole
    case roleAdd, roleGet, roleList, roleDelete, roleGrantPermission, roleRevokePermission

    var service: String {
        switch self {
        case .range, .rangeStream, .put, .deleteRange, .txn, .compact: "etcdserverpb.KV"
        case .watch: "etcdserverpb.Watch"
        case .leaseGrant, .leaseRevoke, .leaseKeepAlive, .leaseTimeToLive, .leaseLeases: "etcdserverpb.Lease"
        case .alarm, .status, .defragment, .hash, .hashKV, .snapshot, .moveLeader, .downgrade:
            "etcdserverpb.Maintenance"
        case .memberList, .memberAdd, .memberRemove, .memberUpdate, .memberPromote: "etcdserverpb.Cluster"
        case .healthCheck, .healthWatch: "grpc.health.v1.Health"
        case .memberReplace: "strake.Cluster"
        case .lock, .unlock: "v3lockpb.Lock"
        case .campaign, .proclaim, .electionLeader, .observe, .resign: "v3electionpb.Election"
        case .authEnable, .authDisable, .authStatus, .authenticate, .userAdd, .userGet, .userList, .userDelete,
            .userChangePassword, .userGrantRole, .userRevokeRole, .roleAdd, .roleGet, .roleList, .roleDelete,
            .roleGrantPermission, .roleRevokePermission:
            "etcdserverpb.Auth"
        }
    }

    var name: String {
        switch self {
        case .range: "Range"
        case .rangeStream: "RangeStream"
        case .put: "Put"
        case .deleteRange: "DeleteRange"
        case .txn: "Txn"
        case .compact: "Compact"
        case .watch: "Watch"
        case .leaseGrant: "LeaseGrant"
        case .leaseRevoke: "LeaseRevoke"
        case .leaseKeepAlive: "LeaseKeepAlive"
        case .leaseTimeToLive: "LeaseTimeToLive"
        case .leaseLeases: "LeaseLeases"
        case .alarm: "Alarm"
        case .status: "Status"
        case .defragment: "Defragment"
        case .hash: "Hash"
        case .hashKV: "HashKV"
        case .snapshot: "Snapshot"
        case .moveLeader: "MoveLeader"
        case .memberList: "MemberList"
        case .memberAdd: "MemberAdd"
        case .memberRemove: "MemberRemove"
        case .memberUpdate: "MemberUpdate"
        case .memberPromote: "MemberPromote"
        case .healthCheck: "Check"
        case .healthWatch: "Watch"
        case .memberReplace: "MemberReplace"
        case .downgrade: "Downgrade"
        case .lock: "Lock"
        case .unlock: "Unlock"
        case .campaign: "Campaign"
        case .proclaim: "Proclaim"
        case .electionLeader: "Leader"
        case .observe: "Observe"
        case .resign: "Resign"
        case .authEnable: "AuthEnable"
        case .authDisable: "AuthDisable"
        case .authStatus: "AuthStatus"
        case .authenticate: "Authenticate"
        case .userAdd: "UserAdd"
        case .userGet: "UserGet"
        case .userList: "UserList"
        case .userDelete: "UserDelete"
        case .userChangePassword: "UserChangePassword"
        case .userGrantRole: "UserGrantRole"
        case .userRevokeRole: "UserRevokeRole"
        case .roleAdd: "RoleAdd"
        case .roleGet: "RoleGet"
        case .roleList: "RoleList"
        case .roleDelete: "RoleDelete"
        case .roleGrantPermission: "RoleGrantPermission"
        case .roleRevokePermission: "RoleRevokePermission"
        }
    }

    /// Made of other calls, as etcd's client library makes it.
    var isRecipe: Bool {
        switch self {
        case .lock, .unlock, .campaign, .proclaim, .electionLeader, .observe, .resign: true
        default: false
        }
    }

    /// How gRPC's metrics name the shape of the call.
    var shape: String {
        switch self {
        case .watch, .leaseKeepAlive: "bidi_stream"
        case .rangeStream, .snapshot, .healthWatch, .observe: "server_stream"
        default: "unary"
        }
    }

    /// One request, one answer.
    var isUnary: Bool {
        switch self {
        case .watch, .leaseKeepAlive, .rangeStream, .snapshot, .healthWatch, .observe: false
        default: true
        }
    }

    /// The client may send request after request on the stream.
    var takesManyMessages: Bool { self == .watch || self == .leaseKeepAlive }

    /// A call with an end to wait for.
    var isRequest: Bool {
        switch self {
        case .watch, .leaseKeepAlive, .snapshot, .healthWatch, .observe: false
        default: true
        }
    }

    static let table = MethodTable(paths: allCases.map { "/\($0.service)/\($0.name)" })
}
