internal import StrakeHTTP2

/// What every call of a client says beside its request.
struct CallMetadata: Sendable {
    var fields: [HeaderField] = []

    init(requiresLeader: Bool) {
        // A member without a leader then fails the call at once, and ends open streams.
        if requiresLeader { fields.append(HeaderField("hasleader", "true")) }
    }
}
