internal import StrakeLinearizability
internal import StrakeModel
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import StrakeStateMachine

/// Reads and writes a few keys, one request at a time, and keeps a record of what it saw.
final class KeyClient: SimulatedClient {
    private let number: Int
    private let world: World
    private let history: History
    private var random: SeededGenerator
    private var member: Int
    /// Mod revisions as last seen.
    private var known: [Int: Int64] = [:]
    private var open: Open?
    /// Successes that are still wanted once the storm is over.
    private var remaining: Int?

    private struct Open {
        var request: UInt64
        var key: Int
        var body: Operation.Request
        var invoked: Int64
        /// Zero, or it does not go into the history: it reads this old revision, which is compared at once, or it
        /// changes many keys, which the watches compare.
        var revision: Int64 = 0

        var isJudged: Bool { revision == 0 }
    }

    init(number: Int, world: World, history: History, seed: UInt64) {
        self.number = number
        self.world = world
        self.history = history
        random = SeededGenerator(seed: seed)
        member = world.anyMember(&random)
        think()
    }

    var isDone: Bool { remaining == 0 && open == nil }

    func stormIsOver() { remaining = 5 }

    private func think() {
        let longest: Int64 = Int.random(in: 0..<8, using: &random) == 0 ? 400_000 : 60_000
        world.schedule(.turn(client: number), after: Int64.random(in: 0...longest, using: &random))
    }

    func turn() {
        guard open == nil, remaining != 0 else { return }
        let key = Int.random(in: 0..<world.plan.keys, using: &random)
        if Int.random(in: 0..<15, using: &random) == 0 {
            open = Open(request: submit(.change(changeOfMany())), key: key, body: .get, invoked: 0, revision: -1)
            return
        }
        let newest = world.storeChecker.newest
        if newest > 1, Int.random(in: 0..<12, using: &random) == 0 {
            let revision = Int64.random(in: max(1, newest - 60)...newest, using: &random)
            let request = submit(.get(key: Self.key(key), revision: revision))
            open = Open(request: request, key: key, body: .get, invoked: 0, revision: revision)
            return
        }
        let body = next(for: key)
        open = Open(request: send(body, key), key: key, body: body, invoked: world.moment())
    }

    /// Several events of one revision, on keys that no other request touches.
    private func changeOfMany() -> Command {
        let keys = (0..<4).map { Array("t\($0)".utf8) }
        if Int.random(in: 0..<3, using: &random) == 0 {
            return .deleteRange(DeleteRangeRequest(range: KeyRange(lower: keys[1], upper: .before(Array("u".utf8)))))
        }
        let value = Array(String(world.nextRequest()).utf8)
        let chosen = keys.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))
        return .txn(TxnRequest(success: chosen.map { .put(PutRequest(key: $0, value: value)) }))
    }

    private func next(for key: Int) -> Operation.Request {
        let value = world.nextRequest()
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8: return .get
        case 8..<14: return .put(value: value)
        case 14..<16: return .delete
        default: return .compareAndSet(modRevision: known[key] ?? 0, value: value)
        }
    }

    private func send(_ body: Operation.Request, _ key: Int) -> UInt64 {
        submit(Self.request(body, Self.key(key)))
    }

    private func submit(_ body: ClientRequest.Body) -> UInt64 {
        let patience = Int64.random(in: 500_000...3_000_000, using: &random)
        return world.submit(body, of: number, to: member, patience: patience)
    }

    static func key(_ number: Int) -> [UInt8] { Array("k\(number)".utf8) }

    private static func request(_ body: Operation.Request, _ key: [UInt8]) -> ClientRequest.Body {
        switch body {
        case .get: .get(key: key, revision: 0)
        case .put(let value): .change(.put(PutRequest(key: key, value: Array(String(value).utf8))))
        case .delete: .change(.deleteRange(DeleteRangeRequest(range: .key(key))))
        case .compareAndSet(let mod, let value):
            .change(
                .txn(
                    TxnRequest(
                        compare: [Compare(range: .key(key), result: .equal, target: .modRevision(mod))],
                        success: [.put(PutRequest(key: key, value: Array(String(value).utf8)))],
                        failure: [.range(RangeRequest(range: .key(key)))])))
        }
    }

    func receive(_ answer: ClientAnswer) {
        guard let open, answer.number == open.request else { return }
        self.open = nil
        switch answer.body {
        case .read(let found, _) where open.revision > 0:
            world.deeds.add("reads of the past")
            world.storeChecker.read(Self.key(open.key), at: open.revision, found)
        case .read(let found, let revision):
            record(open, .read(found.map(Operation.Observation.init)), at: revision)
        case .applied(let outcome, let revision) where open.isJudged:
            if let outcome = Operation.Outcome(outcome) { record(open, outcome, at: revision) }
        case .refused(let leader):
            member = leader ?? world.anyMember(&random)
        case .applied: break
        case .lost: record(open, .unknown, at: nil)
        case .keptAlive, .leaseGone: preconditionFailure("an answer about a lease to client \(number)")
        }
        think()
    }

    private func record(_ open: Open, _ outcome: Operation.Outcome, at revision: Int64?) {
        let operation = Operation(
            client: number, key: open.key, request: open.body, outcome: outcome, revision: revision,
            invoked: open.invoked, returned: world.moment())
        history.add(operation, request: open.request)
        guard outcome != .unknown else { return }
        if let remaining, remaining > 0 { self.remaining = remaining - 1 }
        switch outcome {
        case .written: known[open.key] = revision
        case .read(let seen): known[open.key] = seen?.modRevision
        case .deleted: known[open.key] = nil
        case .unknown: break
        }
    }

    func losePatience(with request: UInt64) {
        guard let open, open.request == request else { return }
        world.note(0, .giveUp, request, text: "client \(number) gives up request \(request)")
        member = world.anyMember(&random)
        if world.plan.flaw == .retryUnanswered, case .put = open.body {
            // The bug: the first one may have been carried out already.
            self.open?.request = send(open.body, open.key)
            return
        }
        self.open = nil
        record(open, .unknown, at: nil)
        think()
    }
}
