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
            (.badLeaderTransferee, 9), (.userEmpty, 3), (.roleEmpty, 3), (.authFailed, 3), (.permissionNotGiven, 3),
            (.invalidAuthManagement, 3), (.rootUserMissing, 9), (.rootRoleMissing, 9), (.userExists, 9),
            (.userNotFound, 9), (.roleExists, 9), (.roleNotFound, 9), (.roleNotGranted, 9), (.permissionNotGranted, 9),
            (.authNotEnabled, 9), (.permissionDenied, 7), (.invalidAuthToken, 16), (.downgradeVersionFormat, 3),
            (.downgradeVersionInvalid, 3),
        ] as [(EtcdError, UInt8)])
    func otherErrors(error: EtcdError, code: UInt8) {
        #expect(error.code.rawValue == code)
    }

    @Test func `every message has etcd's prefix`() {
        for error in EtcdError.allCases { #expect(error.rawValue.hasPrefix("etcdserver: "), "\(error)") }
        #expect(EtcdError.allCases.count == 63)
    }
}
