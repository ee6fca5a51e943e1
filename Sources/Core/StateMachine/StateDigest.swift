internal import StrakeAuth
internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
package import StrakeRaft

/// What a state machine came to, in a number: machines that have applied the same entries have the same, whatever each
/// has checkpointed, compacted, or received as a snapshot.
package struct StateDigest: Hashable, Sendable {
    /// The newest entry applied.
    package var index: LogIndex
    package var value: UInt64

    package init(index: LogIndex, value: UInt64) {
        self.index = index
        self.value = value
    }
}

extension StateMachine {
    /// Of keys, leases, alarms, users with their roles, and who votes. Left out are names and URLs: a member that founds a cluster takes them from
    /// flags of its own.
    package var digest: StateDigest {
        var digest = Digest()
        digest.add(UInt64(bitPattern: store.revision), store.digest)
        digest.add(UInt64(bitPattern: store.compactRevision), lessor.digest)
        for alarm in alarms.raised { digest.add(alarm.member, UInt64(UInt32(bitPattern: alarm.alarm))) }
        let lists = [
            configuration.voters, configuration.outgoing, configuration.learners, configuration.learnersNext,
        ]
        for (number, list) in lists.enumerated() {
            for member in list { digest.add(member.rawValue, UInt64(number)) }
        }
        // Left out where there never were any: members of a version that knows none agree with those that do.
        let users = auth.digest
        if users != 0 { digest.add(users, auth.revision) }
        return StateDigest(index: applied.index, value: digest.value)
    }
}

/// Digests of the past, at indexes that are the same for all members: a member that is asked is seldom where the one that
/// asks is. Those at round numbers are kept longer, so that a member that is far behind finds one too.
struct DigestMarks: Sendable {
    /// Entries between two marks; ascending. Each is kept for `marksMax` marks: the last reaches back a million entries.
    private static let spacings: [UInt64] = [256, 4_096, 65_536]
    private static let marksMax = 16

    /// By spacing; ascending by index.
    private var marks = [[StateDigest]](repeating: [], count: spacings.count)

    static func isMark(_ index: LogIndex) -> Bool { index.rawValue % spacings[0] == 0 }

    mutating func add(_ digest: StateDigest) {
        for (number, spacing) in Self.spacings.enumerated() where digest.index.rawValue % spacing == 0 {
            if marks[number].count == Self.marksMax { marks[number].removeFirst() }
            marks[number].append(digest)
        }
    }

    /// Each once, by ascending index, and `last`.
    func all(through last: StateDigest) -> [StateDigest] {
        Set(marks.joined()).union([last]).sorted { $0.index < $1.index }
    }
}
