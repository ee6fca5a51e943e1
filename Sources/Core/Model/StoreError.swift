/// What a request to the store can be refused with.
///
/// Each case stands for one answer that etcd's clients recognise; the table from cases to status codes and strings
/// lives at the API's edge.
public enum StoreError: Error, Hashable, Sendable {
    // The request itself is wrong.
    case emptyKey
    case keyNotFound
    case valueProvided
    case leaseProvided
    case tooManyOperations
    case duplicateKey
    case invalidSortOption
    case requestTooLarge
    case leaseTTLTooLarge

    // The request does not fit the state of the store.
    /// The revision was compacted away. Start again at or after `compactRevision`.
    case compacted(requested: Int64, compactRevision: Int64)
    case futureRevision(requested: Int64, current: Int64)
    case leaseNotFound
    case leaseExists
    /// The quota is used up: puts and grants are refused until room is made and the alarm disarmed.
    case noSpace
    /// Members disagree about the data; everything is refused.
    case corrupt

    // The change does not fit the cluster.
    case memberNotFound
    case memberExists
    case peerURLExists
    case memberURLsInvalid
    /// Too few of the voters that would be have ever started.
    case notEnoughStarted
    /// Too few voters are in touch with each other for a change that is safe.
    case unhealthy
    case notLearner
    /// The learner's log is too far behind the leader's.
    case learnerNotReady
    case tooManyLearners
    case badLeaderTransferee
    /// A learner serves serializable reads and its status only.
    case learnerNotSupported

    // Users, roles and permissions.
    /// Nobody has said who asks.
    case userEmpty
    case roleEmpty
    case authNameTooLong
    /// No such user, or not this password.
    case authFailed
    /// A password was given for a user who has none.
    case noPasswordUser
    case permissionNotGiven
    case invalidAuthManagement
    /// Users, roles or permissions have changed since it was found out who asks.
    case authRevisionOld
    case rootUserMissing
    case rootRoleMissing
    case userExists
    case userNotFound
    case roleExists
    case roleNotFound
    case roleNotGranted
    case permissionNotGranted
    case authNotEnabled
    case permissionDenied
    case invalidAuthToken

    // The store cannot serve now.
    case tooManyRequests
    case noLeader
    case leaderChanged
    case notLeader
    case timeout
    /// As `timeout`, when the leader that took the request was lost meanwhile: it may still happen.
    case timeoutLeaderFailure
    /// As `timeout`, when the leader could not be reached meanwhile.
    case timeoutConnectionLost
    /// There was no leader to take the request in all of its time: it did not happen.
    case deadlineExceeded
    case stopped
}
