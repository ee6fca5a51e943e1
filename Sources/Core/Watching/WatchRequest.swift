package import StrakeModel

/// What a client asks for when it creates a watcher.
package struct WatchRequest: Hashable, Sendable {
    package var range: KeyRange
    /// The id its responses carry; 0 lets the hub choose, counting up from 0 on each stream.
    package var watchID: Int64 = 0
    /// First revision wanted; 0 means "after now". It may lie in the future.
    package var startRevision: Int64 = 0
    package var form: WatchForm = []
    /// Tell the watcher how far it is when nothing has happened for an interval.
    package var notifiesProgress = false

    package init(range: KeyRange) {
        self.range = range
    }
}

package enum CreateOutcome: Hashable, Sendable {
    case created(watchID: Int64)
    /// It asked for revisions that are gone. The answer is "created" and then "canceled" with the compact revision.
    case compacted(watchID: Int64, compactRevision: Int64)
    // Refused: the answer is one response, created and canceled, with watch id -1.
    case duplicateID
    case emptyRange
    case negativeStart
}

package enum CancelOutcome: Hashable, Sendable {
    /// No such watcher: nothing is answered.
    case unknown
    /// The answer is "canceled". Where the watcher was all that held back a progress reply, that reply comes next.
    case canceled(owedProgress: Int64?)
}

package enum ProgressOutcome: Hashable, Sendable {
    /// The stream has no watchers: nothing is answered, now or later.
    case nothing
    /// Answer now, behind what is queued on the stream.
    case reply(revision: Int64)
    /// Some watcher is behind. The consumer gets one reply once all have caught up.
    case owed
}
