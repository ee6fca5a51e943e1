/// Every error that etcd's clients tell apart, by its exact message: they compare strings, so not a letter may differ.
package enum EtcdError: String, CaseIterable, Error, Sendable {
    // Requests.
    case emptyKey = "etcdserver: key is not provided"
    case keyNotFound = "etcdserver: key not found"
    case valueProvided = "etcdserver: value is provided"
    case leaseProvided = "etcdserver: lease is provided"
    case tooManyOperations = "etcdserver: too many operations in txn request"
    case duplicateKey = "etcdserver: duplicate key given in txn request"
    case invalidClientAPIVersion = "etcdserver: invalid client api version"
    case invalidSortOption = "etcdserver: invalid sort option"
    case requestTooLarge = "etcdserver: request is too large"
    case compacted = "etcdserver: mvcc: required revision has been compacted"
    case futureRevision = "etcdserver: mvcc: required revision is a future revision"
    case noSpace = "etcdserver: mvcc: database space exceeded"
    case tooManyRequests = "etcdserver: too many requests"

    // Leases.
    case leaseTTLTooLarge = "etcdserver: too large lease TTL"
    case leaseNotFound = "etcdserver: requested lease not found"
    case leaseExists = "etcdserver: lease already exists"

    // Watches and calls that were called off.
    case watchCanceled = "etcdserver: watch canceled"
    case requestCanceled = "etcdserver: request canceled"
    case deadlineExceeded = "etcdserver: context deadline exceeded"

    // Members.
    case memberNotFound = "etcdserver: member not found"
    case memberExists = "etcdserver: member ID already exist"
    case peerURLExists = "etcdserver: Peer URLs already exists"
    case memberURLsInvalid = "etcdserver: given member URLs are invalid"
    case notEnoughStarted = "etcdserver: re-configuration failed due to not enough started members"
    case notLearner = "etcdserver: can only promote a learner member"
    case learnerNotReady = "etcdserver: can only promote a learner member which is in sync with leader"
    case tooManyLearners = "etcdserver: too many learner members in cluster"
    case clusterIDMismatch = "etcdserver: cluster ID mismatch"
    case badLeaderTransferee = "etcdserver: bad leader transferee"
    case learnerNotSupported = "etcdserver: rpc not supported for learner"

    // Users and roles.
    case userEmpty = "etcdserver: user name is empty"
    case roleEmpty = "etcdserver: role name is empty"
    /// Beyond etcd, which dies of such a name.
    case authNameTooLong = "etcdserver: name of user or role is too long"
    case authFailed = "etcdserver: authentication failed, invalid user ID or password"
    case permissionNotGiven = "etcdserver: permission not given"
    case invalidAuthManagement = "etcdserver: invalid auth management"
    case authRevisionOld = "etcdserver: revision of auth store is old"
    case rootUserMissing = "etcdserver: root user does not exist"
    case rootRoleMissing = "etcdserver: root user does not have root role"
    case userExists = "etcdserver: user name already exists"
    case userNotFound = "etcdserver: user name not found"
    case roleExists = "etcdserver: role name already exists"
    case roleNotFound = "etcdserver: role name not found"
    case roleNotGranted = "etcdserver: role is not granted to the user"
    case permissionNotGranted = "etcdserver: permission is not granted to the role"
    case authNotEnabled = "etcdserver: authentication is not enabled"
    case permissionDenied = "etcdserver: permission denied"
    case invalidAuthToken = "etcdserver: invalid auth token"

    // Downgrade.
    case downgradeVersionFormat = "etcdserver: wrong downgrade target version format"
    case downgradeVersionInvalid = "etcdserver: invalid downgrade target version"
    case downgradeNoClusterVersion = "etcdserver: cluster version not found during downgrade"
    case downgradeInProgress = "etcdserver: cluster has a downgrade job in progress"
    case downgradeNotInflight = "etcdserver: no inflight downgrade job"

    // The server's state.
    case noLeader = "etcdserver: no leader"
    case notLeader = "etcdserver: not leader"
    case leaderChanged = "etcdserver: leader changed"
    case notCapable = "etcdserver: not capable"
    case stopped = "etcdserver: server stopped"
    case timeout = "etcdserver: request timed out"
    case timeoutLeaderFailure = "etcdserver: request timed out, possibly due to previous leader failure"
    case timeoutConnectionLost = "etcdserver: request timed out, possibly due to connection lost"
    case timeoutAppliedIndex = "etcdserver: request timed out, waiting for the applied index took too long"
    case unhealthy = "etcdserver: unhealthy cluster"
    case corrupt = "etcdserver: corrupt cluster"

    package var code: StatusCode {
        switch self {
        case .emptyKey, .keyNotFound, .valueProvided, .leaseProvided, .tooManyOperations, .duplicateKey,
            .invalidClientAPIVersion, .invalidSortOption, .memberURLsInvalid, .requestTooLarge, .userEmpty, .roleEmpty,
            .authNameTooLong,
            .authFailed, .permissionNotGiven, .invalidAuthManagement, .authRevisionOld, .downgradeVersionFormat,
            .downgradeVersionInvalid:
            .invalidArgument
        case .compacted, .futureRevision, .leaseTTLTooLarge:
            .outOfRange
        case .noSpace, .tooManyRequests:
            .resourceExhausted
        case .leaseNotFound, .memberNotFound:
            .notFound
        case .leaseExists, .memberExists, .peerURLExists, .notLearner, .learnerNotReady,
            .tooManyLearners, .clusterIDMismatch, .rootUserMissing, .rootRoleMissing, .userExists, .userNotFound,
            .roleExists, .roleNotFound, .roleNotGranted, .permissionNotGranted, .authNotEnabled, .notLeader,
            .notCapable, .learnerNotSupported, .badLeaderTransferee, .downgradeNoClusterVersion, .downgradeInProgress,
            .downgradeNotInflight:
            .failedPrecondition
        case .noLeader, .leaderChanged, .stopped, .timeout, .timeoutLeaderFailure, .timeoutConnectionLost,
            .timeoutAppliedIndex, .unhealthy:
            .unavailable
        case .notEnoughStarted:
            // etcd's server forgets to give this one a code.
            .unknown
        case .permissionDenied:
            .permissionDenied
        case .invalidAuthToken:
            .unauthenticated
        case .corrupt:
            .dataLoss
        case .watchCanceled, .requestCanceled:
            .canceled
        case .deadlineExceeded:
            .deadlineExceeded
        }
    }
}
