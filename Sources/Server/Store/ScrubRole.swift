internal import StrakeMVCC
internal import StrakeRaft
internal import StrakeStateMachine
internal import Synchronization

/// The scrub: reads the whole store again and again, slowly, and checks what it reads. liblmdb has no checksums, and what
/// nobody reads would go bad unnoticed.
final class ScrubRole: Sendable {
    /// Of one step, which a checkpoint may have to wait for.
    static let bytesPerSlice = 256 << 10
    /// What the disk and a core are asked for at most: about a hundredth of either.
    static let bytesPerSecond = 16 << 20
    /// From the end of one pass to the begin of the next. The first begins with the member.
    static let pauseMilliseconds = 3_600_000

    private let bell = Doorbell()
    private let isClosing = Atomic(false)

    func close() {
        isClosing.store(true, ordering: .releasing)
        bell.ring()
    }

    /// The thread's body: runs until `close`, or until it has found damage.
    func run(on store: Store) {
        while !isClosing.load(ordering: .acquiring) {
            let pause: Int
            do throws(MVCCError) {
                let slice = try store.checkpoint.runAuditSlice(bytesMax: Self.bytesPerSlice)
                store.gauges.scrubbedBytes.add(UInt64(slice.bytes), ordering: .relaxed)
                switch slice.progress {
                case .unfinished: pause = slice.bytes * 1_000 / Self.bytesPerSecond
                case .sound:
                    store.gauges.scrubs.add(1, ordering: .relaxed)
                    pause = Self.pauseMilliseconds
                case .historyDiffers:
                    return store.foundDamage("its history is not what was applied to it: events are missing or others")
                case .leaseKeysDiffer:
                    return store.foundDamage(
                        "the table leaseKeys is not that of its history: keys are detached from their leases or others are attached"
                    )
                }
            } catch {
                return store.foundDamage("\(error)")
            }
            _ = bell.wait(milliseconds: pause)
        }
    }
}

extension Store {
    /// The scrub has met what no reader may be given. Other members have the same, whole; a member alone has nothing
    /// better, and goes on with what is not damaged: who reads the damaged record is told.
    func foundDamage(_ damage: String) {
        if lifecycle.isStopped { return }
        let file = "the store in \(options.dataDirectory) is damaged: \(damage)"
        let isAlone = cluster.configuration.members.count <= 1
        if isAlone {
            options.onNotice(.damage("\(file). No other member has a copy: save what can be read, and begin anew"))
        } else {
            stopForGood("\(file). \(options.rebuildAdvice(member: memberID))")
        }
    }
}
