internal import StrakeEtcdWire
internal import StrakeHTTP2

/// Why a call failed: a gRPC status, with etcd's message where a server has answered.
public struct StrakeClientError: Error, Hashable, Sendable {
    /// gRPC's status codes, with their numbers on the wire.
    public enum Code: Int, Sendable {
        /// The task was cancelled, or the client is closed.
        case cancelled = 1
        case unknown
        case invalidArgument
        /// The call's time is over. What it asked for may still happen, if `wasSent`.
        case deadlineExceeded
        case notFound
        case alreadyExists
        case permissionDenied
        case resourceExhausted
        case failedPrecondition
        case aborted
        case outOfRange
        case unimplemented
        /// Also of answers that cannot be read.
        case `internal`
        /// No member could be asked, or it cannot answer now: no leader, a leader that changes, a server that stops.
        case unavailable
        case dataLoss
        case unauthenticated
    }

    public var code: Code
    /// As the server put it, such as `etcdserver: requested lease not found`; otherwise a sentence of the client's.
    public var message: String
    /// A server may have seen the request. A write that failed with `true` may have happened.
    public var wasSent: Bool
    /// Of a watch, or of the reads that make up for one: everything below this revision is gone. Begin anew from a fresh
    /// read.
    public var compactRevision: Int64?
    /// Of a watch that compaction has ended: who said so.
    public var header: Header?

    public init(_ code: Code, _ message: String, wasSent: Bool = false, compactRevision: Int64? = nil) {
        self.code = code
        self.message = message
        self.wasSent = wasSent
        self.compactRevision = compactRevision
    }

    // What callers act on, by etcd's exact messages.
    public var isCompacted: Bool { message == EtcdError.compacted.rawValue }
    public var isFutureRevision: Bool { message == EtcdError.futureRevision.rawValue }
    public var isLeaseNotFound: Bool { message == EtcdError.leaseNotFound.rawValue }
    public var isNoLeader: Bool { message == EtcdError.noLeader.rawValue }
    public var isCancelled: Bool { code == .cancelled }

    static let cancelled = StrakeClientError(.cancelled, "context canceled")
    static let deadlineExceeded = StrakeClientError(.deadlineExceeded, "context deadline exceeded")
    static let closed = StrakeClientError(.cancelled, "the client is closed")

    /// - Parameter status: Not `.ok`.
    init(_ status: GRPCStatus, _ message: String, wasSent: Bool) {
        self.init(Code(rawValue: status.rawValue) ?? .unknown, message, wasSent: wasSent)
    }

    /// One of etcd's errors.
    init(_ error: EtcdError, compactRevision: Int64? = nil) {
        self.init(
            Code(rawValue: Int(error.code.rawValue)) ?? .unknown, error.rawValue, wasSent: true,
            compactRevision: compactRevision)
    }
}

extension StrakeClientError: CustomStringConvertible {
    public var description: String { "\(code): \(message)" }
}
