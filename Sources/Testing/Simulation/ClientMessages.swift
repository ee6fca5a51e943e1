internal import StrakeModel
internal import StrakeStateMachine

/// What a client asks a member for.
struct ClientRequest {
    enum Body {
        /// At the newest revision when `revision` is zero.
        case get(key: [UInt8], revision: Int64)
        case change(Command)
        case keepAlive(LeaseID)
        /// Everything from this revision on.
        case watch(stream: Int, from: Int64)
        case progress(stream: Int)
        case unwatch(stream: Int)
    }

    var client: Int
    /// No two requests of a simulation have the same.
    var number: UInt64
    var body: Body
}

struct ClientAnswer {
    enum Body {
        case read(KeyValue?, revision: Int64)
        case applied(Outcome, revision: Int64)
        case keptAlive(ttlSeconds: Int64)
        /// The lease is not there, or its time is up.
        case leaseGone
        /// It has not been carried out and never will be.
        case refused(leader: Int?)
        /// It may have been carried out, or will be.
        case lost
    }

    var client: Int
    var number: UInt64
    var body: Body
}

/// Part of a watch, in the order in which the member sent it.
enum WatchMessage {
    case created(revision: Int64)
    case events([Event])
    /// Everything up to here has been sent.
    case progress(revision: Int64)
    case compacted(revision: Int64)
}
