internal import StrakeLinearizability
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeSeededGenerator
internal import StrakeSimulatedDisk
internal import StrakeStateMachine

/// A whole cluster with its clients in one thread: takes one thing after the other from the queue until all is over.
final class SimulatedCluster {
    /// Microseconds that a healed cluster has to settle.
    private static let calmMicroseconds: Int64 = 60_000_000
    /// Things that happen in one seed; the longest ones have a tenth of it.
    private static let stepsMax = 5_000_000

    let world: World
    /// For the members' real files.
    private let directory: String
    private let history = History()
    private var clients: [any SimulatedClient] = []
    var weather: SeededGenerator
    private var calmSince: Int64?

    init(plan: Plan, directory: String, sink: ((String) -> Void)?) {
        world = World(plan: plan, sink: sink)
        weather = SeededGenerator(seed: plan.weatherSeed)
        self.directory = directory
        for _ in 1...plan.members { addMember() }
        var seeds = SeededGenerator(seed: plan.clientSeed)
        for number in 0..<plan.clients {
            clients.append(KeyClient(number: number, world: world, history: history, seed: seeds.next()))
        }
        for _ in 0..<2 { clients.append(WatchClient(number: clients.count, world: world, seed: seeds.next())) }
        clients.append(LeaseClient(number: clients.count, world: world, seed: seeds.next()))
        for member in world.members { member.start() }
        planWeather()
    }

    /// One that does not run yet.
    @discardableResult
    func addMember() -> SimulatedMember {
        let number = world.members.count + 1
        let member = SimulatedMember(number: number, directory: "\(directory)/m\(number)", world: world)
        world.members.append(member)
        return member
    }

    /// Runs to the end, or to the first broken rule.
    func run() {
        while world.referee.broken == nil, let (time, happening) = world.queue.next() {
            world.now = time
            if calmSince == nil, time >= world.plan.stormMicroseconds { heal() }
            world.trace.step()
            happen(happening)
            if isSettled { break }
            if world.trace.steps > Self.stepsMax {
                world.referee.fail(.progress, "no end after \(Self.stepsMax) steps")
            }
            if let calmSince, time > calmSince + Self.calmMicroseconds {
                world.referee.fail(.progress, describeUnrest())
            }
        }
        if world.referee.broken == nil { checkEnd() }
        if let broken = world.referee.broken {
            world.note(0, .broken, text: "\(broken.rule.rawValue): \(broken.detail)")
        }
    }

    private func happen(_ happening: Happening) {
        if let number = happening.addressee, world.member(number).pausedUntil > world.now {
            return world.queue.add(happening, at: world.member(number).pausedUntil)
        }
        switch happening {
        case .member(let number, let life, let what):
            guard world.member(number).life == life else { return }
            world.member(number).running?.happen(what)
        case .message(let message):
            world.member(Int(message.to.rawValue)).running?.receive(message)
        case .snapshot(let transfer, let step, let toSender): carry(step, of: transfer, toSender: toSender)
        case .request(let request, let number):
            if let member = world.member(number).running {
                member.receive(request)
            } else {
                world.answer(ClientAnswer(client: request.client, number: request.number, body: .refused(leader: nil)))
            }
        case .answer(let answer):
            world.note(0, .answer, answer.number, text: "\(answer.number) to client \(answer.client): \(answer.brief)")
            clients[answer.client].receive(answer)
        case .watched(let message, let client, let stream):
            world.note(0, .watch, UInt64(stream), message.word, text: "to client \(client): \(message.brief)")
            clients[client].receive(message, on: stream)
        case .turn(let client): clients[client].turn()
        case .patience(let client, let request): clients[client].losePatience(with: request)
        case .weather: changeWeather()
        case .retire(let number): retire(number)
        case .restart(let number): if world.member(number).running == nil { world.member(number).start() }
        case .clears(let fault): if calmSince == nil { clear(fault) }
        }
    }

    /// An operator ends the process of a member that was removed, once most of those that stay know of it.
    private func retire(_ number: Int) {
        let voters = world.voters.compactMap { world.member($0).running }
        let knowing = voters.count { $0.machine.applied.index >= world.rosterIndex }
        guard 2 * knowing > world.voters.count else {
            return world.schedule(.retire(number), after: 500_000)
        }
        world.member(number).retire()
    }

    private func changeWeather() {
        replaceBroken()
        if calmSince == nil { change() } else { planWeather() }
    }

    /// A stream ends with either end's process.
    private func carry(_ step: SnapshotTransfer.Step, of transfer: SnapshotTransfer, toSender: Bool) {
        let sender = world.member(transfer.from).life == transfer.fromLife ? world.member(transfer.from).running : nil
        let receiver = world.member(transfer.to).running
        if toSender {
            guard let sender else {
                receiver?.receive(.broken, of: transfer)
                return
            }
            sender.receiveReply(step, of: transfer)
        } else if let receiver {
            receiver.receive(step, of: transfer)
        } else {
            sender?.receiveReply(.broken, of: transfer)
        }
    }

    // MARK: The end

    /// Nothing fails any more, everybody is back.
    private func heal() {
        calmSince = world.now
        world.note(0, .heal, text: "nothing fails any more")
        world.network.reconnectAll()
        world.network.setFair()
        world.damagedPieces = 0
        world.cutsNextInstallation = false
        for member in world.members {
            member.pausedUntil = 0
            member.diskSlowness = 1
            member.disk.simulated.setCapacity(.max)
            member.forgiveDisk()
            if member.disk.simulated.hasLostContact { member.crash(.powerCut) }
            if member.running == nil, world.roster.contains(member.number) { member.start() }
        }
        for client in clients { client.stormIsOver() }
    }

    /// The clients have what they wanted, and the members agree and have nothing left to do.
    private var isSettled: Bool {
        guard calmSince != nil, clients.allSatisfy(\.isDone) else { return false }
        let running = present
        guard running.count == world.roster.count, let leader = running.first(where: { $0.replica.node.isLeader })
        else { return false }
        let last = leader.replica.node.lastEntry
        return leader.leaseCount == 0
            && running.allSatisfy { $0.replica.node.applied == last.index && $0.replica.node.leader == leader.owner.id }
    }

    /// The members that run, of those that are in the cluster.
    private var present: [RunningMember] { world.roster.compactMap { world.member($0).running } }

    private func describeUnrest() -> String {
        var parts: [String] = []
        for (number, client) in clients.enumerated() where !client.isDone { parts.append("client \(number) waits") }
        for member in world.members where world.roster.contains(member.number) {
            guard let running = member.running else {
                parts.append("m\(member.number) is down")
                continue
            }
            let node = running.replica.node
            parts.append(
                "m\(member.number) \(node.roleKind) of term \(node.term), last \(node.lastEntry), "
                    + "applied \(node.applied), \(running.leaseCount) leases")
        }
        return parts.joined(separator: "; ")
    }

    private func checkEnd() {
        checkHashes()
        switch LinearizabilityCheck().verdict(on: history.operations) {
        case .linearizable: break
        case .violation(let violation): world.referee.fail(.linearizable, violation.description)
        case .undecided(let key, let steps): checkCompleted(after: "k\(key) was given up after \(steps) steps")
        }
    }

    /// The clients' knowledge did not suffice within the bound. With what became of the unanswered requests little is left
    /// to search for, and an order that fits all of that fits what the clients know.
    private func checkCompleted(after reason: String) {
        world.deeds.add("histories judged with knowledge of all outcomes")
        switch LinearizabilityCheck().verdict(on: history.completed(by: world.storeChecker)) {
        case .linearizable: break
        case .violation(let violation): world.referee.fail(.linearizable, violation.description)
        case .undecided: world.referee.fail(.undecided, reason)
        }
    }

    private func checkHashes() {
        var first: KVHash?
        for member in present {
            guard let hash = try? member.reader.hashKV(revision: 0) else {
                return world.referee.fail(.equalHash, "m\(member.number) cannot hash its store")
            }
            let expected = first ?? hash
            first = expected
            if hash != expected {
                world.referee.fail(.equalHash, "m\(member.number) has \(hash), m\(world.roster[0]) \(expected)")
            }
        }
    }

    /// Lets go of everything: the world knows its members, and they it.
    func end() {
        for member in world.members {
            member.end()
            member.disk.close()
        }
        world.members = []
    }

    /// For the result.
    var summary: (operations: Int, elections: Int, entries: UInt64) {
        (history.operations.count, world.raftChecker.elections, world.raftChecker.lastCommitted.rawValue)
    }
}

extension Happening {
    /// The member that it happens to, and does not while it is paused.
    fileprivate var addressee: Int? {
        switch self {
        case .member(let number, _, _), .request(_, let number): number
        case .message(let message): Int(message.to.rawValue)
        case .snapshot(let transfer, _, let toSender): toSender ? transfer.from : transfer.to
        case .answer, .watched, .turn, .patience, .weather, .restart, .retire, .clears: nil
        }
    }
}
