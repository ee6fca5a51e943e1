internal import StrakeHTTP2
internal import StrakeLeases
internal import StrakeModel

/// What waits for the store's answer.
enum PendingCall {
    /// A unary call: the outcome says how to answer.
    case unary(StreamID)
    /// A step of a contender for a lock or a leadership.
    case contender(StreamID)
    /// The last step of a recipe: the answer is a header.
    case recipeEnd(StreamID)
    /// A group of reads; they are kept beside the table.
    case read
    /// A keep-alive whose renewal goes through the log first.
    case renewal(StreamID, LeaseRenewal)
    /// A client who asks for a token.
    case authentication(AuthAttempt)
    /// The NOSPACE alarm that this member raises for itself.
    case internalAlarm
}

/// Calls that wait, by a number that fits in a token. Numbers are used again, so the table stays as large as the
/// most calls that ever waited together.
struct CallTable {
    private var entries: [PendingCall?] = []
    private var free: [UInt32] = []

    mutating func add(_ call: PendingCall) -> UInt32 {
        if let index = free.popLast() {
            entries[Int(index)] = call
            return index
        }
        entries.append(call)
        return UInt32(entries.count - 1)
    }

    @discardableResult
    mutating func remove(_ index: UInt32) -> PendingCall? {
        guard Int(index) < entries.count, let call = entries[Int(index)] else { return nil }
        entries[Int(index)] = nil
        free.append(index)
        return call
    }

    mutating func removeAll() {
        entries = []
        free = []
    }
}
