package import StrakeMVCC
package import StrakeModel
internal import StrakeReplication
package import StrakeStateMachine

/// Where answers are taken to, such as one event loop with all its connections.
///
/// The store groups what it has for a target and gives it over once a batch, so that a batch costs one hop.
package protocol AnswerTarget: AnyObject, Sendable {
    /// Asked after each batch, on the thread that applied it: whether `take` is to have the changes.
    func offer(_ changes: PublishedEvents) -> Bool

    /// The store has come to the revision by a snapshot; the thread that installed it asks whether `take` is to be told.
    func offerSkip(through revision: Int64) -> Bool

    /// Called on the thread that applied. It must only hand the batch over.
    func take(_ batch: AnswerBatch)
}

extension AnswerTarget {
    package func offer(_ changes: PublishedEvents) -> Bool { false }
    package func offerSkip(through revision: Int64) -> Bool { false }
}

/// What one batch brought for one target.
package struct AnswerBatch: Sendable {
    package var answers: [Answer] = []
    /// Tokens of reads that may be served now.
    package var readsReady: [UInt64] = []
    package var failures: [(token: UInt64, error: StoreError)] = []
    /// The changes of the batch, where the target asked for them.
    package var published: PublishedEvents?
    /// The store has come to this revision by a snapshot: the changes up to it are in its history only.
    package var skippedThrough: Int64?

    var isEmpty: Bool {
        answers.isEmpty && readsReady.isEmpty && failures.isEmpty && published == nil && skippedThrough == nil
    }
}

/// The result of one proposal.
package struct Answer: Sendable {
    package var token: UInt64
    /// Of its entry in the log.
    package var index: UInt64
    /// The store's revision and the term after the command.
    package var revision: Int64
    package var term: UInt64
    package var outcome: Outcome
}

/// All changes of the revisions `first...last`, in order.
package struct PublishedEvents: Sendable {
    package var first: Int64
    package var last: Int64
    package var compactRevision: Int64
    package var events: EventBatch
}

/// Answers on their way, grouped by target.
struct AnswerGroups {
    private var batches: [AnswerBatch] = []

    mutating func with(_ target: Int32, _ body: (inout AnswerBatch) -> Void) {
        while batches.count <= Int(target) { batches.append(AnswerBatch()) }
        body(&batches[Int(target)])
    }

    /// Gives every target what is there for it and is empty again.
    mutating func deliver(to targets: [any AnswerTarget]) {
        for index in batches.indices where !batches[index].isEmpty {
            let batch = batches[index]
            batches[index] = AnswerBatch()
            targets[index].take(batch)
        }
    }
}

extension StoreError {
    init(_ failure: ReplicaFailure) {
        switch failure {
        case .noLeader: self = .noLeader
        case .notLeader: self = .notLeader
        case .leaderChanged: self = .leaderChanged
        case .overloaded: self = .tooManyRequests
        case .timedOut: self = .timeout
        case .timedOutLeaderFailed: self = .timeoutLeaderFailure
        case .timedOutDisconnected: self = .timeoutConnectionLost
        case .neverProposed: self = .deadlineExceeded
        case .configurationBusy, .configurationInvalid: self = .tooManyRequests
        case .stopped: self = .stopped
        }
    }
}
