internal import StrakeModel
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import StrakeStateMachine

/// Holds a lease with a key on it, keeps it alive for a while, lets it go, and begins again.
final class LeaseClient: SimulatedClient {
    private enum Stage {
        case none
        case granting(LeaseID, ttl: Int64)
        case holding(LeaseID, ttl: Int64)
    }

    private let number: Int
    private let world: World
    private var random: SeededGenerator
    private var member: Int
    private var stage = Stage.none
    private var open: (request: UInt64, sentAt: Int64)?
    private var isOver = false

    init(number: Int, world: World, seed: UInt64) {
        self.number = number
        self.world = world
        random = SeededGenerator(seed: seed)
        member = world.anyMember(&random)
        plan(0...1_000_000)
    }

    var isDone: Bool { isOver }

    /// The leases are to run out.
    func stormIsOver() { isOver = true }

    private func plan(_ delay: ClosedRange<Int64>) {
        world.schedule(.turn(client: number), after: Int64.random(in: delay, using: &random))
    }

    func turn() {
        guard open == nil, !isOver else { return }
        switch stage {
        case .none:
            let (id, ttl) = (LeaseID(rawValue: Int64(world.nextRequest())), Int64.random(in: 2...8, using: &random))
            stage = .granting(id, ttl: ttl)
            ask(.change(.leaseGrant(id: id, ttlSeconds: ttl)))
        case .granting: break
        case .holding(let id, _):
            if Int.random(in: 0..<12, using: &random) == 0 {
                stage = .none
                return plan(0...3_000_000)
            }
            ask(.keepAlive(id))
        }
    }

    private func ask(_ body: ClientRequest.Body) {
        let patience = Int64.random(in: 300_000...1_000_000, using: &random)
        open = (world.submit(body, of: number, to: member, patience: patience), world.now)
    }

    func receive(_ answer: ClientAnswer) {
        guard let open, answer.number == open.request else { return }
        self.open = nil
        switch (stage, answer.body) {
        case (.granting(let id, let ttl), .applied(.leaseGranted, _)):
            stage = .holding(id, ttl: ttl)
            promised(id, ttl, sentAt: open.sentAt)
            attachKey(to: id)
            planRenewal(ttl)
        case (.holding(let id, let ttl), .keptAlive):
            world.deeds.add("renewals")
            promised(id, ttl, sentAt: open.sentAt)
            planRenewal(ttl)
        case (.holding(let id, _), .leaseGone):
            world.leaseChecker.gone(id, at: world.now)
            stage = .none
            plan(0...500_000)
        case (_, .refused(let leader)):
            member = leader ?? world.anyMember(&random)
            if case .granting = stage { stage = .none }
            plan(10_000...100_000)
        default:
            if case .granting = stage { stage = .none }
            plan(10_000...100_000)
        }
    }

    private func promised(_ id: LeaseID, _ ttl: Int64, sentAt: Int64) {
        world.leaseChecker.promised(id, ttlSeconds: ttl, sentAt: sentAt, answeredAt: world.now)
    }

    /// Nobody waits for the answer: the key is there for the watches and the hashes.
    private func attachKey(to lease: LeaseID) {
        let key = Array("l\(number)".utf8)
        let put = PutRequest(key: key, value: Array(String(lease.rawValue).utf8), lease: lease)
        _ = world.submit(.change(.put(put)), of: number, to: member, patience: 1_000_000)
    }

    private func planRenewal(_ ttl: Int64) { plan(ttl * 100_000...ttl * 600_000) }

    func losePatience(with request: UInt64) {
        guard let open, open.request == request else { return }
        self.open = nil
        member = world.anyMember(&random)
        if case .granting = stage { stage = .none }
        plan(0...100_000)
    }
}
