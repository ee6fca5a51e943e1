internal import StrakeRaft

/// A bug that a simulation can be given, to see that it is found. The server has no way to have one.
package enum Flaw: String, CaseIterable, Sendable {
    case acknowledgeBeforeSync = "acknowledge-before-sync"
    case readAsOldLeader = "read-as-old-leader"
    case readOnFollower = "read-on-follower"
    case acknowledgeQueued = "acknowledge-queued"
    case forgetVote = "forget-vote"
    case ignoreFailedSync = "ignore-failed-sync"
    case retryUnanswered = "retry-unanswered"
    case applyByOwnClock = "apply-by-own-clock"
    case progressAheadOfEvents = "progress-ahead-of-events"
    case forgetWhatASlowWatcherMissed = "forget-what-a-slow-watcher-missed"
    case expireAsOldLeader = "expire-as-old-leader"
    case commitEarlierTerms = "commit-earlier-terms"
    case readBeforeOwnTerm = "read-before-own-term"
    case applyAheadOfDisk = "apply-ahead-of-disk"
    case countLateAcknowledgement = "count-late-acknowledgement"
    case truncateAheadOfCheckpoint = "truncate-ahead-of-checkpoint"
    case restartLogBeforeStore = "restart-log-before-store"
    case takeBatchesTwice = "take-batches-twice"
    case dropTombstoneAtCompaction = "drop-tombstone-at-compaction"
    case checkpointWithoutSync = "checkpoint-without-sync"
    case ignoreFailedStoreSync = "ignore-failed-store-sync"

    package var summary: String {
        switch self {
        case .acknowledgeBeforeSync: "a write counts as durable when it is handed to the disk"
        case .readAsOldLeader: "whoever believes to lead answers reads without asking the others"
        case .readOnFollower: "any member answers reads from what it has"
        case .acknowledgeQueued: "the end of one write counts for the one that waits behind it"
        case .forgetVote: "the vote is not written with the term"
        case .ignoreFailedSync: "a failed flush is taken for a good one"
        case .retryUnanswered: "a client sends a put again when no answer comes"
        case .applyByOwnClock: "applying looks at the member's clock"
        case .progressAheadOfEvents: "a watch's progress speaks of events that are not sent yet"
        case .forgetWhatASlowWatcherMissed: "events for which a slow watch has no room are dropped"
        case .commitEarlierTerms: "a leader commits entries of earlier terms by counting copies"
        case .readBeforeOwnTerm: "a new leader answers reads before an entry of its term is committed"
        case .applyAheadOfDisk: "a member applies committed entries that its own disk does not have yet"
        case .countLateAcknowledgement: "an answer of the disk counts for entries that replaced the written ones"
        case .truncateAheadOfCheckpoint: "the log forgets what is applied, though no checkpoint has it yet"
        case .restartLogBeforeStore: "the log begins anew after a snapshot before CURRENT names the snapshot's store"
        case .takeBatchesTwice: "a leader takes what a follower passes on as often as the message comes"
        case .dropTombstoneAtCompaction: "compaction removes a delete at the compact revision itself"
        case .checkpointWithoutSync: "a checkpoint writes LMDB's meta page without waiting for the pages to be on disk"
        case .ignoreFailedStoreSync: "liblmdb is told that a flush of its file that failed was a good one"
        case .expireAsOldLeader: "a new leader takes an old one's word that leases have expired"
        }
    }

    /// Of Raft itself.
    var raft: RaftFlaws {
        switch self {
        case .commitEarlierTerms: .commitsEarlierTerms
        case .readBeforeOwnTerm: .readsBeforeOwnTerm
        case .applyAheadOfDisk: .appliesAheadOfDisk
        case .countLateAcknowledgement: .countsLateAcknowledgements
        case .takeBatchesTwice: .takesBatchesTwice
        default: []
        }
    }
}
