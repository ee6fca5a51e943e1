/// Whether and when a failed call is made again: what clientv3 does.
///
/// Reads are made again when a member was unavailable. Writes are only if no server can have seen them: a write that may
/// have happened is its caller's to judge.
package struct RetryPolicy: Sendable {
    package enum Decision: Hashable, Sendable {
        case retry(afterMilliseconds: Int64)
        case fail
    }

    /// Tries in all, at least 1.
    package var triesMax = 100
    /// Tries that make a round: then it pauses, since most members have been asked in vain.
    package var quorum = 1
    package var pauseMilliseconds: Int64 = 25

    package init(triesMax: Int = 100, quorum: Int = 1, pauseMilliseconds: Int64 = 25) {
        self.triesMax = triesMax
        self.quorum = quorum
        self.pauseMilliseconds = pauseMilliseconds
    }

    /// - Parameters:
    ///   - triesMade: Tries so far, the failed one among them.
    ///   - jitter: From -1 to 1: moves the pause by up to a tenth, so that clients do not come back all at once.
    package func decide(
        after error: StrakeClientError, isRepeatable: Bool, triesMade: Int, jitter: Double
    ) -> Decision {
        guard triesMade < triesMax, isRepeatable || !error.wasSent else { return .fail }
        switch error.code {
        case .unavailable: break
        case .cancelled, .unknown, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists, .permissionDenied,
            .resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented, .internal, .dataLoss,
            .unauthenticated:
            return .fail
        }
        guard triesMade % quorum == 0 else { return .retry(afterMilliseconds: 0) }
        return .retry(afterMilliseconds: Int64((Double(pauseMilliseconds) * (1 + jitter / 10)).rounded()))
    }
}
