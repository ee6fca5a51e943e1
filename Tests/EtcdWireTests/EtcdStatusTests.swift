internal import StrakeEtcdWire
internal import StrakeModel
import Testing

@Suite struct EtcdStatusTests {
    // Recorded from etcd 3.7.1.
    @Test(
        "every error of the store has the code and the message that etcd gives it",
        arguments: [
            (.emptyKey, 3, "etcdserver: key is not provided"),
            (.keyNotFound, 3, "etcdserver: key not found"),
            (.valueProvided, 3, "etcdserver: value is provided"),
            (.leaseProvided, 3, "etcdserver: lease is provided"),
            (.tooManyOperations, 3, "etcdserver: too many operations in txn request"),
            (.duplicateKey, 3, "etcdserver: duplicate key given in txn request"),
            (.invalidSortOption, 3, "etcdserver: invalid sort option"),
            (.requestTooLarge, 3, "etcdserver: request is too large"),
            (.leaseTTLTooLarge, 11, "etcdserver: too large lease TTL"),
            (
                .compacted(requested: 1, compactRevision: 2), 11,
                "etcdserver: mvcc: required revision has been compacted"
            ),
            (.futureRevision(requested: 2, current: 1), 11, "etcdserver: mvcc: required revision is a future revision"),
            (.leaseNotFound, 5, "etcdserver: requested lease not found"),
            (.leaseExists, 9, "etcdserver: lease already exists"),
            (.memberNotFound, 5, "etcdserver: member not found"),
            (.noSpace, 8, "etcdserver: mvcc: database space exceeded"),
            (.corrupt, 15, "etcdserver: corrupt cluster"),
            (.tooManyRequests, 8, "etcdserver: too many requests"),
            (.noLeader, 14, "etcdserver: no leader"),
            (.leaderChanged, 14, "etcdserver: leader changed"),
            (.notLeader, 9, "etcdserver: not leader"),
            (.timeout, 14, "etcdserver: request timed out"),
            (.stopped, 14, "etcdserver: server stopped"),
            (.deadlineExceeded, 4, "context deadline exceeded"),
            (.userEmpty, 3, "etcdserver: user name is empty"),
            (.roleEmpty, 3, "etcdserver: role name is empty"),
            (.authFailed, 3, "etcdserver: authentication failed, invalid user ID or password"),
            (.noPasswordUser, 2, "auth: authentication failed, password was given for no password user"),
            (.permissionNotGiven, 3, "etcdserver: permission not given"),
            (.invalidAuthManagement, 3, "etcdserver: invalid auth management"),
            (.authRevisionOld, 3, "etcdserver: revision of auth store is old"),
            (.rootUserMissing, 9, "etcdserver: root user does not exist"),
            (.rootRoleMissing, 9, "etcdserver: root user does not have root role"),
            (.userExists, 9, "etcdserver: user name already exists"),
            (.userNotFound, 9, "etcdserver: user name not found"),
            (.roleExists, 9, "etcdserver: role name already exists"),
            (.roleNotFound, 9, "etcdserver: role name not found"),
            (.roleNotGranted, 9, "etcdserver: role is not granted to the user"),
            (.permissionNotGranted, 9, "etcdserver: permission is not granted to the role"),
            (.authNotEnabled, 9, "etcdserver: authentication is not enabled"),
            (.permissionDenied, 7, "etcdserver: permission denied"),
            (.invalidAuthToken, 16, "etcdserver: invalid auth token"),
        ] as [(StoreError, UInt8, String)])
    func storeErrors(error: StoreError, code: UInt8, message: String) {
        let status = EtcdStatus(error)
        #expect(status.code.rawValue == code)
        #expect(status.message == message)
    }

    @Test(
        "errors of services to come have their recorded codes",
        arguments: [
            (.peerURLExists, 9), (.memberURLsInvalid, 3), (.notLearner, 9), (.learnerNotReady, 9),
            (.tooManyLearners, 9),
            (.badLeaderTransferee, 9), (.downgradeVersionFormat, 3),
            (.downgradeVersionInvalid, 3),
        ] as [(EtcdError, UInt8)])
    func otherErrors(error: EtcdError, code: UInt8) {
        #expect(error.code.rawValue == code)
    }

    @Test func `every message has etcd's prefix`() {
        for error in EtcdError.allCases { #expect(error.rawValue.hasPrefix("etcdserver: "), "\(error)") }
        #expect(EtcdError.allCases.count == 64)
    }
}
