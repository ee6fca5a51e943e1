internal import StrakeHTTP2
internal import StrakeWatching

/// What a stream of a session is for.
struct StreamState {
    enum Role {
        case unary
        case watch(StreamKey)
        case keepAlive
        case answer(LongAnswer)
        case http(HTTPRequest)
    }

    var id: StreamID
    /// `nil` for plain HTTP.
    var method: Method?
    var role: Role
    /// A unary call's message has come.
    var hasMessage = false
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

    mutating func remove(_ stream: StreamID) {
        if self[stream] != nil { states[Int(stream.slot)] = nil }
    }

    mutating func removeAll() {
        states = []
    }

    var all: [StreamState] { states.compactMap { $0 } }
}
