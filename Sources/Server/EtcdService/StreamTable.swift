internal import StrakeHTTP2
internal import StrakeWatching

/// What a stream of a session is for.
struct StreamState {
    enum Role {
        case unary
        case watch(StreamKey)
        case keepAlive
        case answer(LongAnswer)
        // Apart from the others' memory: these are few and large, and a stream's state is copied for each answer.
        indirect case contender(Contender)
        indirect case observer(ElectionObserver)
        indirect case http(HTTPRequest)
        /// A plain request whose answer is on its way.
        case httpAsked
        case gateway(GatewayExchange)
    }

    var id: StreamID
    /// `nil` for plain HTTP.
    var method: Method?
    var role: Role
    /// When the call's headers came, on the monotonic clock, in nanoseconds.
    var began: UInt64 = 0
    /// A unary call's message has come.
    var hasMessage = false
    /// The client wants to hear when there is no leader.
    var requiresLeader = false
    /// A gateway in front of this member makes the call: the connection's certificate is the gateway's, and not the user's.
    var isForwarded = false
    /// The call is a recipe that has begun: it fails as etcd's client library does.
    var isRecipe: Bool {
        if case .observer = role { return false }
        return hasMessage && method?.isRecipe == true
    }
    /// Keep-alives of the stream that are not answered yet.
    var awaited = 0
    /// The client has said all, and `awaited` is not zero.
    var endIsOwed = false
}

/// Streams of a session by the dense slot of their handle.
struct StreamTable {
    private var states: [StreamState?] = []

    subscript(stream: StreamID) -> StreamState? {
        get {
            guard Int(stream.slot) < states.count, let state = states[Int(stream.slot)], state.id == stream else {
                return nil
            }
            return state
        }
        set {
            while states.count <= Int(stream.slot) { states.append(nil) }
            states[Int(stream.slot)] = newValue
        }
    }

    func contains(_ stream: StreamID) -> Bool {
        Int(stream.slot) < states.count && states[Int(stream.slot)]?.id == stream
    }

    /// The method of the call; `nil` where there is no such stream or it is plain HTTP.
    func method(of stream: StreamID) -> Method? {
        contains(stream) ? states[Int(stream.slot)]?.method : nil
    }

    /// Changes the state of a stream where it lies, or does nothing when there is no such stream: streams that carry many
    /// small messages would feel a copy out and back.
    mutating func update<Result>(_ stream: StreamID, _ change: (inout StreamState) -> Result) -> Result? {
        guard contains(stream) else { return nil }
        return change(&states[Int(stream.slot)]!)
    }

    @discardableResult
    mutating func remove(_ stream: StreamID) -> StreamState? {
        guard let state = self[stream] else { return nil }
        states[Int(stream.slot)] = nil
        return state
    }

    mutating func removeAll() {
        states = []
    }

    var all: [StreamState] { states.compactMap { $0 } }
}
