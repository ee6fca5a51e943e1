internal import StrakeModel
internal import StrakeRaft
internal import StrakeStateMachine

/// Compares what the members' stores make of the log: the same entries, the same revisions, the same events.
final class StoreChecker {
    private let referee: Referee
    /// The events of each main revision, as the first member that got there made them.
    private var events: [Int64: [Event]] = [:]
    /// The revision after each entry.
    private var revisions: [LogIndex: Int64] = [:]
    private var digests: [LogIndex: UInt64] = [:]
    /// What each key was, from each revision that changed it on.
    private var states: [[UInt8]: [(from: Int64, keyValue: KeyValue?)]] = [:]
    private(set) var newest: Int64 = 1
    /// What became of each proposal, whoever was told.
    private(set) var outcomes: [UInt64: (outcome: Outcome, revision: Int64)] = [:]

    init(referee: Referee) {
        self.referee = referee
    }

    func applied(_ entry: Entry, revision: Int64, at member: Int) {
        if let known = revisions[entry.index] {
            if known != revision {
                referee.fail(
                    .sameState, "entry \(entry.id) leads m\(member) to revision \(revision), others to \(known)")
            }
        } else {
            revisions[entry.index] = revision
        }
        newest = max(newest, revision)
    }

    /// What a member's state came to after an entry.
    func applied(_ digest: StateDigest, at member: Int) {
        if let known = digests[digest.index], known != digest.value {
            referee.fail(.sameState, "after entry \(digest.index) the state of m\(member) is not that of others")
        }
        digests[digest.index] = digest.value
    }

    /// A member took another one's state over.
    func installed(_ last: EntryID, revision: Int64, at member: Int) {
        if let known = revisions[last.index], known != revision {
            referee.fail(.sameState, "a snapshot of \(last) gives m\(member) revision \(revision), not \(known)")
        }
    }

    func carriedOut(_ name: ProposalID, _ outcome: Outcome, revision: Int64) {
        if outcomes[name.rawValue] == nil { outcomes[name.rawValue] = (outcome, revision) }
    }

    /// Events of whole revisions, in order.
    func published(_ published: [Event], at member: Int) {
        var start = 0
        while start < published.count {
            let main = published[start].keyValue.modRevision
            var end = start
            while end < published.count, published[end].keyValue.modRevision == main { end += 1 }
            let found = Array(published[start..<end])
            if let known = events[main] {
                if known != found {
                    referee.fail(.sameState, "revision \(main) of m\(member) is \(found), not \(known)")
                }
            } else {
                events[main] = found
                for event in found {
                    let keyValue = event.kind == .put ? event.keyValue : nil
                    states[event.keyValue.key, default: []].append((main, keyValue))
                }
            }
            start = end
        }
    }

    /// A read at an older revision was answered.
    func read(_ key: [UInt8], at revision: Int64, _ found: KeyValue?) {
        let expected = states[key]?.last { $0.from <= revision }?.keyValue
        if found != expected {
            referee.fail(
                .past,
                "\(String(decoding: key, as: UTF8.self)) at revision \(revision) is read as "
                    + "\(String(describing: found)), it was \(String(describing: expected))")
        }
    }

    /// What revision `main` changed; empty for one that is not there.
    func events(at main: Int64) -> [Event] { events[main] ?? [] }
}
