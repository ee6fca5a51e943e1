/// Decides when history is compacted without anybody asking, as etcd's two compactors do. A value: time and revisions come
/// from outside.
///
/// Every member follows the revisions, so that a new leader knows what was when; only a leader acts.
public struct AutoCompaction: Sendable {
    /// What stays.
    public enum Policy: Hashable, Sendable {
        /// Whatever was current at some moment of the last so many milliseconds.
        case period(milliseconds: Int64)
        /// The newest so many revisions.
        case revisions(Int64)

        package var name: String {
            switch self {
            case .period: "periodic"
            case .revisions: "revision"
            }
        }
    }

    /// For the operator.
    public struct Event: Sendable {
        public enum Outcome: Sendable, Equatable {
            case begun, done
            case failed(String)
        }

        public var policy: Policy
        public var revision: Int64
        public var outcome: Outcome
    }

    /// What stays is looked at ten times in a window, and compacted once a window: an hour, or the period if that is
    /// shorter (etcd's figures).
    private static let windowMillisecondsMax: Int64 = 3_600_000
    private static let looksPerWindow: Int64 = 10
    private static let revisionInterval: Int64 = 300_000

    private let policy: Policy
    private let window: Int64
    /// From one look to the next.
    private let interval: Int64
    /// Looks in a period, and one: the first of so many revisions was current a period ago.
    private let samplesMax: Int
    private var samples: [Int64] = []
    private var nextLook: Int64
    /// What was decided and is not done yet; no look is due meanwhile.
    private var pending: Int64?
    private var lastRevision: Int64 = 0
    private var lastSuccess: Int64
    /// The first compaction waits for a whole period, later ones for a window.
    private var patience: Int64

    /// - Parameter now: In milliseconds of a monotonic clock.
    package init(_ policy: Policy, now: Int64, revision: Int64) {
        self.policy = policy
        switch policy {
        case .period(let period):
            window = min(period, Self.windowMillisecondsMax)
            interval = max(1, window / Self.looksPerWindow)
            samplesMax = Int(period / interval) + 1
            patience = period
        case .revisions:
            window = Self.revisionInterval
            interval = Self.revisionInterval
            samplesMax = 1
            patience = 0
        }
        lastSuccess = now
        nextLook = now
        begin(now: now, revision: revision)
    }

    private mutating func begin(now: Int64, revision: Int64) {
        samples.append(revision)
        if samples.count > samplesMax { samples.removeFirst() }
        nextLook = now + interval
    }

    /// - Parameter revision: The store's, as it is now.
    /// - Returns: Compact through this one, and tell by `ended` what came of it.
    package mutating func tick(now: Int64, revision: Int64, isLeader: Bool) -> Int64? {
        guard pending == nil, now >= nextLook else { return nil }
        guard isLeader, let target = target(now: now, revision: revision) else {
            begin(now: now, revision: revision)
            return nil
        }
        pending = target
        return target
    }

    private mutating func target(now: Int64, revision: Int64) -> Int64? {
        switch policy {
        case .period:
            guard now - lastSuccess >= patience, samples[0] != lastRevision else { return nil }
            patience = window
            return samples[0]
        case .revisions(let kept):
            let target = revision - kept
            return target > 0 && target != lastRevision ? target : nil
        }
    }

    /// What became of the compaction that `tick` asked for. One that somebody else did before is done.
    package mutating func ended(isDone: Bool, now: Int64, revision: Int64) {
        guard let target = pending else { return }
        pending = nil
        if isDone {
            lastRevision = target
            lastSuccess = now
        }
        begin(now: now, revision: revision)
    }
}
