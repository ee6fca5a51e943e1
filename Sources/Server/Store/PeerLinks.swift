internal import StrakeRaft
internal import Synchronization

/// Since when each of the others answers: raft's messages tell it of a leader's followers only, and changes of
/// membership want to know it of everybody.
final class PeerLinks: Sendable {
    /// Milliseconds without an answer after which a member counts as out of touch, whatever the transport says.
    private static let silenceMax: Int64 = 2_000

    private struct Link {
        /// Milliseconds; `nil` while it does not answer.
        var since: Int64?
        var answered: Int64 = 0
        /// A question is out.
        var isAsked = false
    }

    /// Looked up by member; walked only where the order does not matter.
    private let links = Mutex<[MemberID: Link]>([:])

    func update(_ members: [MemberID]) {
        links.withLock { links in
            var kept: [MemberID: Link] = [:]
            for member in members { kept[member] = links[member] ?? Link() }
            links = kept
        }
    }

    /// Whom to ask now. Each is asked again once it has answered, or could not.
    func takeDue() -> [MemberID] {
        links.withLock { links in
            let due = links.filter { !$0.value.isAsked }.map(\.key).sorted()
            for member in due { links[member]?.isAsked = true }
            return due
        }
    }

    func answered(_ member: MemberID, now: Int64) {
        links.withLock { links in
            guard var link = links[member] else { return }
            if now - link.answered > Self.silenceMax { link.since = nil }
            link.isAsked = false
            link.answered = now
            link.since = link.since ?? now
            links[member] = link
        }
    }

    /// The transport cannot reach it.
    func failed(_ member: MemberID) {
        links.withLock { $0[member]?.since = nil }
    }

    func missedAnswer(of member: MemberID) {
        links.withLock { $0[member] = $0[member].map { _ in Link() } }
    }

    /// Members in touch now that have been so for `milliseconds`.
    func steady(for milliseconds: Int64, now: Int64) -> Set<UInt64> {
        links.withLock { links in
            let steady = links.filter { item in
                guard let since = item.value.since else { return false }
                return now - since >= milliseconds && now - item.value.answered <= Self.silenceMax
            }
            return Set(steady.map(\.key.rawValue))
        }
    }
}
