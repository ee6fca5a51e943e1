package import StrakeEtcdWire
internal import StrakeModel

/// Where a watch stands, and what is to be done with each message and each end of a stream: the rules by which it loses
/// nothing and repeats nothing, whatever happens to connections.
package struct WatchResume: Sendable {
    package enum Step: Equatable, Sendable {
        case deliver(WatchResponse)
        /// The watcher exists.
        case created
        /// Nothing for the user: a part of a message, or what was delivered before.
        case nothing
        /// Revisions are gone, as this says. Then open another stream, at once.
        case goOn(WatchResponse)
        /// The watch is over.
        case fail(StrakeClientError)
        /// Open another stream, after a pause.
        case reopen(afterMilliseconds: Int64)
    }

    package static let pauseMillisecondsMax: Int64 = 100

    private let request: WatchCreateRequest
    private let goesOnAfterCompaction: Bool
    /// The first revision that the user has not seen all of. Zero until the server says where "now" is.
    package private(set) var nextRevision: Int64
    package private(set) var isCreated = false
    /// Events of a revision that comes in parts: delivered when it is whole.
    private var parts: [Event] = []
    /// Streams that came to nothing since the last message.
    private var failures = 0

    package init(_ request: WatchCreateRequest, goesOnAfterCompaction: Bool = false) {
        self.request = request
        self.goesOnAfterCompaction = goesOnAfterCompaction
        nextRevision = request.startRevision
    }

    /// What a new stream is opened with.
    package func createRequest() -> WatchRequest {
        var request = request
        request.startRevision = nextRevision
        return .create(request)
    }

    package mutating func receive(_ message: WatchMessage) -> Step {
        let revision = message.header.revision
        if message.canceled { return canceled(message) }
        failures = 0
        if message.created {
            isCreated = true
            // From now on it is said by number: a stream opened later must not begin at a later "now".
            if nextRevision == 0 { nextRevision = revision + 1 }
            if message.events.isEmpty { return .created }
        }
        if message.events.isEmpty && !message.fragment && parts.isEmpty {
            // Progress: everything up to here was delivered.
            nextRevision = max(nextRevision, revision + 1)
            return .deliver(WatchResponse(header: Header(message.header), events: []))
        }
        parts += message.events.filter { $0.keyValue.modRevision >= nextRevision }
        if message.fragment { return .nothing }
        guard let last = parts.last else { return .nothing }
        nextRevision = last.keyValue.modRevision + 1
        defer { parts = [] }
        return .deliver(WatchResponse(header: Header(message.header), events: parts))
    }

    private mutating func canceled(_ message: WatchMessage) -> Step {
        if message.compactRevision != 0 {
            // Else what this revision has would be asked for without end.
            if goesOnAfterCompaction, message.compactRevision > nextRevision {
                (nextRevision, parts) = (message.compactRevision, [])
                return .goOn(
                    WatchResponse(
                        header: Header(message.header), events: [], compactRevision: message.compactRevision))
            }
            var error = StrakeClientError(.compacted, compactRevision: message.compactRevision)
            error.header = Header(message.header)
            return .fail(error)
        }
        return ended(Self.error(message.cancelReason))
    }

    /// A watch that is not permitted is refused in the words of Go's gRPC: `rpc error: code = C desc = <etcd's message>`.
    private static func error(_ reason: String) -> StrakeClientError {
        var message = reason[...]
        if reason.hasPrefix("rpc error: "), let mark = reason.firstRange(of: " desc = ") {
            message = reason[mark.upperBound...]
        }
        if let known = EtcdError(rawValue: String(message)) { return StrakeClientError(known) }
        return StrakeClientError(.unknown, reason.isEmpty ? "the server has ended the watch" : reason, wasSent: true)
    }

    /// A stream is over, or could not be opened. clientv3's rule: a member that is unavailable, or a stream that broke,
    /// is no reason to end the watch; everything else is.
    package mutating func ended(_ error: StrakeClientError) -> Step {
        parts = []
        switch error.code {
        case .unavailable, .internal: break
        case .cancelled, .unknown, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists, .permissionDenied,
            .resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented, .dataLoss, .unauthenticated:
            return .fail(error)
        }
        failures += 1
        return .reopen(afterMilliseconds: min(1 << Int64(min(failures - 1, 10)), Self.pauseMillisecondsMax))
    }
}
