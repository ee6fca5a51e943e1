internal import Glibc
internal import StrakeLeases
internal import StrakeLog
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeSimulatedDisk
internal import StrakeStateMachine

// Faults: one after the other while the storm lasts, each aimed and measured by chance.
extension SimulatedCluster {
    func planWeather() {
        let interval = world.plan.weather.interval
        world.schedule(.weather, after: Int64.random(in: interval / 4...interval * 7 / 4, using: &weather))
    }

    func change() {
        planWeather()
        guard let fault = world.plan.weather.kinds.randomElement(using: &weather) else { return }
        let target = aim()
        guard carryOut(fault, on: target) else { return }
        world.faults.add(fault.rawValue)
        world.note(target, .fault, UInt64(fault.rawValue.utf8.count), text: fault.rawValue)
    }

    private func aim() -> Int {
        let leader = world.members.filter { $0.running?.replica.node.isLeader == true }
            .max { ($0.running?.replica.node.term ?? .zero) < ($1.running?.replica.node.term ?? .zero) }
        if let leader, below(100) < world.plan.weather.aimedAtLeader { return leader.number }
        return world.anyMember(&weather)
    }

    /// - Returns: There was something to break.
    private func carryOut(_ fault: Fault, on target: Int) -> Bool {
        let member = world.member(target)
        switch fault {
        case .powerCut, .powerCutEverywhere, .powerCutWhileWriting, .powerCutInCheckpoint, .powerCutWhileInstalling,
            .processDies:
            return end(member, by: fault)
        case .syncFails, .writeFails, .slowDisk, .fullDisk, .damage: return spoilDisk(of: member, by: fault)
        case .pause, .suspend, .clockStops, .clockJumps: return upsetTime(of: member, by: fault)
        case .isolate, .mute, .deafen, .cutOneWay, .split:
            cut(links(of: fault, target))
            return true
        case .badNetwork:
            world.network.lost = below(400)
            world.network.repeated = below(400)
            world.network.late = below(100)
            return lasts(.badNetwork)
        case .damagedSnapshots:
            world.damagedPieces = 100
            return lasts(.damagedSnapshots)
        case .transfer, .campaign, .compaction: return ask(member, for: fault)
        case .addVoter, .addLearner, .promote, .remove, .replace: return changeMembers(fault)
        }
    }

    private func end(_ member: SimulatedMember, by fault: Fault) -> Bool {
        switch fault {
        case .powerCutEverywhere:
            var any = false
            for member in world.members { any = crash(member, .powerCut) || any }
            return any
        case .powerCutWhileWriting:
            guard member.running != nil else { return false }
            member.disk.simulated.loseContact(afterChanges: below(4))
            return true
        case .powerCutInCheckpoint:
            defer { member.cutsNextCheckpoint = true }
            return !member.cutsNextCheckpoint
        case .powerCutWhileInstalling:
            defer { world.cutsNextInstallation = true }
            return !world.cutsNextInstallation
        default: return crash(member, fault == .processDies ? .processDies : .powerCut)
        }
    }

    private func upsetTime(of member: SimulatedMember, by fault: Fault) -> Bool {
        let time = duration()
        switch fault {
        case .clockStops: return member.clock.stop(at: world.now, for: time)
        case .clockJumps:
            member.clock.jump(by: time)
            // Its leases are over too early then, and nothing else may be wrong.
            if member.running?.leases.isLeading == true { world.leaseChecker.jumped(by: time, at: world.now) }
            return true
        default:
            guard member.running != nil, member.pausedUntil <= world.now else { return false }
            if fault == .suspend, !member.clock.stop(at: world.now, for: time) { return false }
            member.pausedUntil = world.now + time
            return true
        }
    }

    private func spoilDisk(of member: SimulatedMember, by fault: Fault) -> Bool {
        let disk = member.disk.simulated
        switch fault {
        case .syncFails: disk.fail(.sync, errno: EIO, afterCalls: below(3), pathSuffix: suffixOfFaultyFile())
        case .writeFails:
            let errno = below(2) == 0 ? EIO : ENOSPC
            disk.fail(.write, errno: errno, afterCalls: below(3), pathSuffix: suffixOfFaultyFile())
        case .slowDisk:
            member.diskSlowness = 1 << Int64(1 + below(9))
            return lasts(.slowDisk(member.number))
        case .fullDisk:
            disk.setCapacity(disk.bytesUsed + below(5_000))
            return lasts(.fullDisk(member.number))
        default: return damage(member)
        }
        return true
    }

    /// The log is written all the time, and so it meets what is meant for any file.
    private func suffixOfFaultyFile() -> String { below(2) == 0 ? "" : MemberDisk.storeFile }

    private func ask(_ member: SimulatedMember, for fault: Fault) -> Bool {
        guard let running = member.running, fault == .campaign || running.replica.isLeader else { return false }
        switch fault {
        case .transfer:
            let heir = MemberID(rawValue: UInt64(world.anyMember(&weather)))
            running.step { replica, output in replica.step(.transferLeadership(to: heir), into: &output) }
        case .compaction:
            let revision = running.reader.revision - Int64(below(40))
            guard revision > 0 else { return false }
            running.propose(.compact(revision: revision, physical: false), nil)
        default: running.step { replica, output in replica.step(.campaign, into: &output) }
        }
        return true
    }

    /// As an operator would: asks the leader, who may refuse, and keeps the cluster near the size that it was planned for.
    private func changeMembers(_ fault: Fault) -> Bool {
        let leaders = world.roster.compactMap { world.member($0).running }.filter(\.replica.isLeader)
        guard let leader = leaders.max(by: { $0.replica.node.term < $1.replica.node.term }) else { return false }
        let configuration = leader.machine.configuration
        switch fault {
        case .addVoter, .addLearner:
            let isLearner = fault == .addLearner
            guard world.members.count < Plan.membersMax, world.roster.count < world.plan.members + 2 else {
                return false
            }
            let member = addMember()
            if leader.propose(.add(member.id.rawValue, peerURLs: member.peerURLs, isLearner: isLearner)) { return true }
            world.members.removeLast()
            return false
        case .promote:
            guard let learner = configuration.learners.randomElement(using: &weather) else { return false }
            return leader.propose(.promote(learner.rawValue))
        case .replace:
            guard let member = configuration.voters.randomElement(using: &weather) else { return false }
            return replace(member, leader)
        default:
            guard configuration.voters.count > 2, let member = configuration.members.randomElement(using: &weather)
            else { return false }
            return leader.propose(.remove(member.rawValue))
        }
    }

    /// By one joint change: the cluster is at no time smaller.
    private func replace(_ member: MemberID, _ leader: RunningMember) -> Bool {
        guard world.members.count < Plan.membersMax else { return false }
        if leader.proposeReplacement(of: member, by: addMember()) { return true }
        world.members.removeLast()
        return false
    }

    /// Only what the others can make up for: one member at a time, of at least three, all of which know that they are.
    private func damage(_ member: SimulatedMember) -> Bool {
        let knowing = world.voters.count { voter in
            world.member(voter).running.map { $0.machine.applied.index >= world.rosterIndex } ?? false
        }
        guard world.roster.contains(member.number), world.voters.count > 2, knowing == world.voters.count,
            world.damaged == nil, member.damage(&weather)
        else { return false }
        world.damaged = member.number
        return true
    }

    /// An operator takes a member that can never start again out of the cluster.
    func replaceBroken() {
        guard let number = world.damaged, world.member(number).isRetired else { return }
        guard world.roster.contains(number) else {
            world.damaged = nil
            return
        }
        let leaders = world.roster.compactMap { world.member($0).running }.filter(\.replica.isLeader)
        let leader = leaders.max { $0.replica.node.term < $1.replica.node.term }
        guard let leader else { return }
        if below(2) == 0, replace(world.member(number).id, leader) { return }
        _ = leader.propose(.remove(UInt64(number)))
    }

    private func crash(_ member: SimulatedMember, _ kind: SimulatedMember.Crash) -> Bool {
        guard member.running != nil else { return false }
        member.crash(kind)
        world.schedule(.restart(member.number), after: duration())
        return true
    }

    private func links(of fault: Fault, _ target: Int) -> [(from: Int, to: Int)] {
        let all = 1...world.members.count
        switch fault {
        case .mute: return all.map { (target, $0) }
        case .deafen: return all.map { ($0, target) }
        case .cutOneWay: return [(target, world.anyMember(&weather))]
        case .split:
            let side = Set(all.filter { _ in below(2) == 0 })
            return all.flatMap { from in
                all.filter { side.contains($0) != side.contains(from) }.map { (from, $0) }
            }
        default: return all.flatMap { [(target, $0), ($0, target)] }
        }
    }

    private func cut(_ links: [(from: Int, to: Int)]) {
        for link in links { world.network.setCut(from: link.from, to: link.to, true) }
        lasts(.cut(links))
    }

    @discardableResult
    private func lasts(_ fault: Fault.Lasting) -> Bool {
        world.schedule(.clears(fault), after: duration())
        return true
    }

    func clear(_ fault: Fault.Lasting) {
        switch fault {
        case .cut(let links): for link in links { world.network.setCut(from: link.from, to: link.to, false) }
        case .slowDisk(let number): world.member(number).diskSlowness = 1
        case .badNetwork: world.network.setFair()
        case .fullDisk(let number): world.member(number).disk.simulated.setCapacity(.max)
        case .damagedSnapshots: world.damagedPieces = 0
        }
    }

    /// Microseconds: mostly around an election timeout.
    private func duration() -> Int64 {
        Int64.random(in: 1_000...[20_000, 300_000, 1_500_000, 4_000_000][below(4)], using: &weather)
    }

    private func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &weather) }
}
