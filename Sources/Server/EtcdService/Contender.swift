internal import StrakeEtcdWire
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStateMachine

/// A client's way to a lock, to the leadership of an election, or to what a leader proclaims: the recipe of etcd's
/// clients, taken step by step on the server. It says what is to be done next and is told what came of it.
///
/// Contenders put a key each under the name they contend for, on a lease. Whose key has the lowest create revision
/// holds; each of the others waits for the key before its own to go, so that an end wakes one and not all.
struct Contender {
    enum Prize: Hashable {
        case lock
        case leadership(value: [UInt8])
        case proclamation(of: LeaderKey, value: [UInt8])
    }

    enum Step: Equatable {
        case propose(Command)
        /// A linearizable read.
        case read(RangeRequest)
        /// Until the key is not the one any more that was created at this revision.
        case awaitRemoval(of: [UInt8], created: Int64)
        case won(at: Point)
        case lost(RecipeError)
    }

    /// What an answer's header says.
    struct Point: Hashable {
        var revision: Int64
        var term: UInt64
    }

    private enum State {
        case granting, entering, proclaiming, looking, waiting, confirming
    }

    let name: [UInt8]
    let prize: Prize
    private(set) var lease: LeaseID
    /// Of the contender's own key; zero before that is there.
    private(set) var created: Int64 = 0
    /// The key that is waited for, or was last.
    private(set) var awaitedKey: [UInt8]?
    /// Of the store, before the key is put.
    private let revisionBefore: Int64
    private var state = State.granting
    private var entered = Point(revision: 0, term: 0)

    /// - Parameter revision: The store's, or an earlier one.
    init(name: [UInt8], lease: LeaseID, prize: Prize, at revision: Int64) {
        revisionBefore = revision
        self.name = name
        self.lease = lease
        self.prize = prize
        if case .proclamation(let leader, _) = prize { created = leader.revision }
    }

    var key: [UInt8] {
        if case .proclamation(let leader, _) = prize { return leader.key }
        return Self.prefix(of: name) + Array(String(lease.rawValue, radix: 16).utf8)
    }

    var leaderKey: LeaderKey { LeaderKey(name: name, key: key, revision: created, lease: lease) }

    /// What takes the contender's key away again; nil when that would not be its own.
    var withdrawal: Command? {
        switch state {
        case .granting, .proclaiming: nil
        // It is on its way. One that was there before is another call's.
        case .entering: Self.removal(of: key, ifCreated: .greater, than: revisionBefore)
        case .looking, .waiting, .confirming: Self.removal(of: key, created: created)
        }
    }

    /// Removes a contender's key, unless it is another one by now.
    static func removal(of key: [UInt8], created: Int64) -> Command {
        removal(of: key, ifCreated: .equal, than: created)
    }

    private static func removal(of key: [UInt8], ifCreated result: Compare.Result, than revision: Int64) -> Command {
        .txn(
            TxnRequest(
                compare: [Compare(range: .key(key), result: result, target: .createRevision(revision))],
                success: [.deleteRange(DeleteRangeRequest(range: .key(key)))]))
    }

    static func prefix(of name: [UInt8]) -> [UInt8] { name + Array("/".utf8) }

    /// Reads the key under the name that was created first: whose it is holds.
    static func holder(of name: [UInt8]) -> RangeRequest {
        var request = RangeRequest(range: contenders(for: name))
        request.limit = 1
        request.sortTarget = .createRevision
        request.sortOrder = .ascending
        return request
    }

    /// "0" follows "/".
    private static func contenders(for name: [UInt8]) -> KeyRange {
        KeyRange(lower: prefix(of: name), upper: .before(name + Array("0".utf8)))
    }

    // MARK: Steps

    /// - Parameters:
    ///   - newLease: The lease to be granted when the client has named none.
    ///   - ttlSeconds: For how long.
    mutating func begin(newLease: LeaseID, ttlSeconds: Int64) -> Step {
        if lease != .none { return start() }
        lease = newLease
        return .propose(.leaseGrant(id: newLease, ttlSeconds: ttlSeconds))
    }

    /// A command has been applied.
    mutating func applied(_ outcome: Outcome, at point: Point) -> Step {
        switch (state, outcome) {
        case (.granting, .leaseGranted): return start()
        case (.entering, .txn(let response)): return enter(response, at: point)
        case (.proclaiming, .txn(let response)):
            guard response.succeeded else { return .lost(.notLeader) }
            if case .proclamation = prize { return .won(at: point) }
            return look()
        default: preconditionFailure("a contender that is \(state) got \(outcome)")
        }
    }

    /// The range that was asked for, as of a revision.
    mutating func found(_ range: RangeResponse, at point: Point) -> Step {
        switch state {
        case .looking:
            if let before = range.keyValues.first {
                state = .waiting
                awaitedKey = before.key
                return .awaitRemoval(of: before.key, created: before.createRevision)
            }
            if case .leadership = prize { return .won(at: entered) }
            // The wait may have been longer than the lease.
            state = .confirming
            return .read(RangeRequest(range: .key(key)))
        case .confirming: return range.keyValues.isEmpty ? .lost(.sessionExpired) : .won(at: point)
        case .granting, .entering, .proclaiming, .waiting: preconditionFailure("a contender that is \(state) read")
        }
    }

    /// The key that was waited for has gone. What was before that one may be there still.
    mutating func removed() -> Step {
        guard case .waiting = state else { preconditionFailure("a contender that is \(state) waited") }
        return look()
    }

    private mutating func start() -> Step {
        let isNew = Compare(range: .key(key), result: .equal, target: .createRevision(0))
        let own = RequestOp.range(RangeRequest(range: .key(key)))
        let holder = RequestOp.range(Self.holder(of: name))
        switch prize {
        case .lock:
            state = .entering
            let put = RequestOp.put(PutRequest(key: key, value: [], lease: lease))
            return .propose(.txn(TxnRequest(compare: [isNew], success: [put, holder], failure: [own, holder])))
        case .leadership(let value):
            state = .entering
            let put = RequestOp.put(PutRequest(key: key, value: value, lease: lease))
            return .propose(.txn(TxnRequest(compare: [isNew], success: [put], failure: [own])))
        case .proclamation(_, let value): return proclaim(value)
        }
    }

    private mutating func proclaim(_ value: [UInt8]) -> Step {
        state = .proclaiming
        return .propose(
            .txn(
                TxnRequest(
                    compare: [Compare(range: .key(key), result: .equal, target: .createRevision(created))],
                    success: [.put(PutRequest(key: key, value: value, lease: lease))])))
    }

    private mutating func enter(_ response: TxnResponse, at point: Point) -> Step {
        entered = point
        created = point.revision
        if !response.succeeded {
            guard case .range(let own)? = response.responses.first, let keyValue = own.keyValues.first else {
                preconditionFailure("the key exists and was not read")
            }
            created = keyValue.createRevision
            if case .leadership(let value) = prize, keyValue.value != value { return proclaim(value) }
        }
        if case .lock = prize, case .range(let holder)? = response.responses.last,
            holder.keyValues.first?.createRevision == created
        {
            return .won(at: point)
        }
        return look()
    }

    /// Whose key is next before this one's?
    private mutating func look() -> Step {
        state = .looking
        var request = RangeRequest(range: Self.contenders(for: name))
        request.limit = 1
        request.maxCreateRevision = created - 1
        request.sortTarget = .createRevision
        request.sortOrder = .descending
        return .read(request)
    }
}

/// What a recipe ends with when the store itself refuses nothing. etcd's clients know these by their text.
enum RecipeError: String, Error {
    case notLeader = "election: not leader"
    case noLeader = "election: no leader"
    case sessionExpired = "mutex: session is expired"
    case leaderMissing = "\"leader\" field must be provided"
}

extension EtcdStatus {
    init(_ error: RecipeError) {
        self.init(code: .unknown, message: error.rawValue)
    }

    /// The store's refusal as the recipes hand it on: etcd serves them through a client of its own, on whose way the codes
    /// are lost.
    init(inRecipe error: StoreError) {
        self.init(code: .unknown, message: EtcdStatus(error).message)
    }

    init(inRecipe error: MVCCError) {
        switch error {
        case .refused(let reason): self.init(inRecipe: reason)
        case .storage: self.init(error)
        }
    }
}
