internal import StrakeMVCC

/// Why a call of an embedded store failed.
public enum EmbeddedStoreError: Error, Hashable, Sendable {
    /// The request does not fit itself, the store's state, or what the cluster can do now. Most can be acted on, such as
    /// `compacted`, `leaseNotFound`, `noSpace` or `noLeader`.
    case refused(StoreError)
    /// The answer would take more memory than `EmbeddedStore.Limits` allow: ask for less, or for a scan.
    case answerTooLarge(bytesMax: Int)
    /// The transaction was carried out. What it read takes more memory than an answer may, and is not given.
    case carriedOutUnanswered(bytesMax: Int)
    /// A scan was not read from for longer than `EmbeddedStore.Limits.scanStallSeconds`, and has let its revision go.
    case scanStalled
    /// The task was canceled while it waited. A change that was under way may still be made.
    case canceled
    /// A record is not as it was written, or the disk cannot be read: a sentence for the operator.
    case damaged(String)
    /// The member cannot go on: a sentence for the operator. What was acknowledged is on disk.
    case failed(String)

    /// What was asked for may have been done, or may still be. Where it is false a change was not made, and never will be.
    public var mayHaveHappened: Bool {
        switch self {
        case .refused(.timeout), .refused(.timeoutLeaderFailure), .refused(.timeoutConnectionLost), .refused(.stopped),
            .carriedOutUnanswered, .canceled, .failed:
            true
        case .refused, .answerTooLarge, .scanStalled, .damaged: false
        }
    }

    init(_ error: MVCCError) {
        switch error {
        case .refused(let reason): self = .refused(reason)
        case .storage(let damage): self = .damaged("\(damage)")
        }
    }
}

extension EmbeddedStoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let reason): "the store refused the request: \(reason)"
        case .answerTooLarge(let bytesMax): "the answer would be larger than \(bytesMax) bytes"
        case .carriedOutUnanswered(let bytesMax):
            "the transaction was carried out, and its answer would be larger than \(bytesMax) bytes"
        case .scanStalled: "the scan was not read from for too long"
        case .canceled: "the task was canceled"
        case .damaged(let what): "the store is damaged: \(what)"
        case .failed(let what): "the member has stopped: \(what)"
        }
    }
}
