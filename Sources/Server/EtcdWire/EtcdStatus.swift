package import StrakeModel

/// gRPC's status codes, with their numbers on the wire.
package enum StatusCode: UInt8, Sendable {
    case ok = 0
    case canceled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

/// How a call ends: the trailers grpc-status and grpc-message.
package struct EtcdStatus: Error, Hashable, Sendable {
    package var code: StatusCode
    package var message: String

    package init(code: StatusCode, message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: EtcdError) {
        self.init(code: error.code, message: error.rawValue)
    }

    package init(_ error: StoreError) {
        // What etcd's own wait ends with is no error of etcd's: the text is its gRPC library's.
        switch error {
        case .deadlineExceeded: self.init(code: .deadlineExceeded, message: "context deadline exceeded")
        case .noPasswordUser:
            // An error of etcd's inside, which its server has no code for.
            self.init(
                code: .unknown,
                message: "auth: authentication failed, password was given for no password user")
        default: self.init(error.etcdError)
        }
    }

    /// For request bytes that are no protobuf message.
    static let malformedRequest = "grpc: error unmarshalling request: proto: cannot parse invalid wire-format data"

    /// RangeStream serves key order only; kube-apiserver takes this code for "use Range".
    package static let rangeStreamSortOrder = EtcdStatus(
        code: .unimplemented, message: "RangeStream does not support custom sort orders")
    package static let rangeStreamRevisionFilter = EtcdStatus(
        code: .unimplemented, message: "RangeStream does not support revision filters")
    /// Health of a service that is not there.
    package static let unknownHealthService = EtcdStatus(code: .notFound, message: "unknown service")
}

extension StoreError {
    /// The answer that etcd's clients recognise this error by.
    package var etcdError: EtcdError {
        switch self {
        case .emptyKey: .emptyKey
        case .keyNotFound: .keyNotFound
        case .valueProvided: .valueProvided
        case .leaseProvided: .leaseProvided
        case .tooManyOperations: .tooManyOperations
        case .duplicateKey: .duplicateKey
        case .invalidSortOption: .invalidSortOption
        case .requestTooLarge: .requestTooLarge
        case .leaseTTLTooLarge: .leaseTTLTooLarge
        case .compacted: .compacted
        case .futureRevision: .futureRevision
        case .leaseNotFound: .leaseNotFound
        case .leaseExists: .leaseExists
        case .memberNotFound: .memberNotFound
        case .memberExists: .memberExists
        case .peerURLExists: .peerURLExists
        case .memberURLsInvalid: .memberURLsInvalid
        case .notEnoughStarted: .notEnoughStarted
        case .unhealthy: .unhealthy
        case .notLearner: .notLearner
        case .learnerNotReady: .learnerNotReady
        case .tooManyLearners: .tooManyLearners
        case .badLeaderTransferee: .badLeaderTransferee
        case .learnerNotSupported: .learnerNotSupported
        case .noSpace: .noSpace
        case .corrupt: .corrupt
        case .userEmpty: .userEmpty
        case .roleEmpty: .roleEmpty
        case .authNameTooLong: .authNameTooLong
        case .authFailed: .authFailed
        // Its text is another one, which is no error of etcd's API.
        case .noPasswordUser: .authFailed
        case .permissionNotGiven: .permissionNotGiven
        case .invalidAuthManagement: .invalidAuthManagement
        case .authRevisionOld: .authRevisionOld
        case .rootUserMissing: .rootUserMissing
        case .rootRoleMissing: .rootRoleMissing
        case .userExists: .userExists
        case .userNotFound: .userNotFound
        case .roleExists: .roleExists
        case .roleNotFound: .roleNotFound
        case .roleNotGranted: .roleNotGranted
        case .permissionNotGranted: .permissionNotGranted
        case .authNotEnabled: .authNotEnabled
        case .permissionDenied: .permissionDenied
        case .invalidAuthToken: .invalidAuthToken
        case .tooManyRequests: .tooManyRequests
        case .noLeader: .noLeader
        case .leaderChanged: .leaderChanged
        case .notLeader: .notLeader
        case .timeout: .timeout
        case .timeoutLeaderFailure: .timeoutLeaderFailure
        case .timeoutConnectionLost: .timeoutConnectionLost
        case .deadlineExceeded: .deadlineExceeded
        case .stopped: .stopped
        }
    }
}
