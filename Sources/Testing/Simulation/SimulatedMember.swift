internal import Glibc
internal import StrakeModel
internal import StrakeRaft
internal import StrakeSimulatedDisk
internal import StrakeStore

/// One member: what outlives its crashes, and its present life if it has one.
final class SimulatedMember {
    let number: Int
    let disk: MemberDisk
    private let world: World
    private(set) var running: RunningMember?
    /// Counts lives, so that what was planned in one does not happen in the next.
    private(set) var life = 0
    /// Stands still until then, and then goes on as if no time had passed.
    var pausedUntil: Int64 = 0
    /// Its power fails in the middle of its next checkpoint.
    var cutsNextCheckpoint = false
    /// Times what the disk takes.
    var diskSlowness: Int64 = 1

    /// - Parameter directory: For its real files.
    init(number: Int, directory: String, world: World) {
        self.number = number
        disk = MemberDisk(root: directory)
        clock = MemberClock(rate: world.plan.clockRates[number])
        self.world = world
        disk.ignoresFailedSyncs = world.plan.flaw == .ignoreFailedStoreSync
        disk.onCall = { [unowned world] call, path, offset, count in
            world.note(
                number, .store, UInt64(call.utf8.count), UInt64(offset), UInt64(count),
                text: "\(call) \(path)" + (count > 0 ? ", \(count) bytes at \(offset)" : ""))
        }
    }

    var name: String { "m\(number)" }
    var peerURLs: [String] { ["http://m\(number)"] }

    private var isFounder: Bool { number <= world.plan.members }

    /// Where it begins: with those that founded the cluster, or knowing nobody.
    var founding: SnapshotMetadata {
        isFounder ? .bootstrap(voters: (1...world.plan.members).map { MemberID(rawValue: UInt64($0)) }) : .joining
    }

    var foundingMembers: [MemberAttributes] {
        guard isFounder else { return [] }
        return world.members.prefix(world.plan.members).map {
            MemberAttributes(id: $0.id.rawValue, name: $0.name, peerURLs: $0.peerURLs)
        }
    }

    var id: MemberID { MemberID(rawValue: UInt64(number)) }

    var clock: MemberClock

    /// Milliseconds on the member's own clock, which runs a little fast or slow, and stands still at times.
    var clockMilliseconds: Int64 { clock.milliseconds(at: world.now) }

    /// Begins a life, unless the disk fails while it opens, or the member is retired.
    func start() {
        precondition(running == nil, "m\(number) runs")
        if isRetired { return }
        life += 1
        world.note(number, .start, UInt64(life))
        world.raftChecker.restarted(id)
        do throws(StartFailure) {
            let member = try RunningMember(of: self, world: world)
            running = member
            // It has read all of its log.
            if world.damaged == number { world.damaged = nil }
            member.begin()
        } catch {
            switch error {
            case .disk(let errno) where errno == EBADMSG && world.damaged == number: giveUp("damaged file")
            case .unusable(let reason) where world.damaged == number: giveUp(reason)
            case .disk:
                crash(.powerCut)
                world.schedule(.restart(number), after: world.random(10_000...1_000_000))
            case .unusable(let reason): world.referee.fail(.opens, "m\(number): \(reason)")
            }
        }
    }

    /// It has left the cluster, and nobody starts it again.
    private(set) var isRetired = false

    /// It says that its files are damaged, and how to go on: somebody has to take it out of the cluster.
    private func giveUp(_ reason: String) {
        world.note(number, .stop, text: reason)
        world.deeds.add("damage found")
        retire()
    }

    func retire() {
        if isRetired { return }
        isRetired = true
        world.note(number, .members, text: "is gone")
        crash(.processDies)
    }

    /// Lets go of all files.
    func end() {
        running?.snapshots.close()
        running = nil
    }

    enum Crash: UInt64 {
        /// What was not flushed is lost or torn.
        case powerCut = 0
        case processDies = 1
    }

    /// Ends the life. Does nothing but to the disk when there is none.
    func crash(_ kind: Crash) {
        world.note(number, .crash, kind.rawValue, text: "\(kind)")
        running?.cutCheckpointShort()
        // Streams under way would keep the store open.
        end()
        life += 1
        pausedUntil = 0
        switch kind {
        case .powerCut: disk.powerCut(seed: world.random.next())
        case .processDies: disk.crashProcess()
        }
    }

    /// Faults that were set and have not struck yet do not.
    func forgiveDisk() {
        cutsNextCheckpoint = false
        disk.simulated.forgive()
    }
}

/// Why a member did not start.
enum StartFailure: Error {
    /// A fault that the simulation had planned.
    case disk(errno: Int32)
    /// What it found of its own is not good enough to go on with.
    case unusable(String)
}
