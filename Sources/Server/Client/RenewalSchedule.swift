internal import StrakeEtcdWire

/// When a lease is renewed next, and when there is no use any more. Times count from the first attempt.
package struct RenewalSchedule: Sendable {
    /// After an attempt that failed.
    package static let pause = Duration.milliseconds(500)

    package private(set) var next = Duration.zero
    /// When the lease is over if nobody renews it; nil before the first renewal.
    private var end: Duration?

    package init() {}

    package mutating func renewed(ttlSeconds: Int64, at now: Duration) {
        end = now + .seconds(ttlSeconds)
        next = now + .seconds(ttlSeconds) / 3
    }

    /// - Throws: The error, when another attempt is of no use.
    package mutating func failed(_ error: StrakeClientError, at now: Duration) throws(StrakeClientError) {
        if error.isLeaseNotFound { throw error }
        switch error.code {
        case .unavailable, .internal, .deadlineExceeded, .resourceExhausted: break
        case .cancelled, .unknown, .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition,
            .aborted, .outOfRange, .unimplemented, .dataLoss, .unauthenticated:
            throw error
        }
        if let end, now >= end { throw StrakeClientError(EtcdError.leaseNotFound) }
        next = now + Self.pause
    }
}
