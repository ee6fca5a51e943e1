internal import StrakeModel
internal import StrakeTables

/// Where a replay may stop when its budget is used up.
package enum EventCut: Sendable {
    /// Only after a whole main revision, however large: a watcher without fragments gets a revision in one piece.
    case betweenRevisions
    case anywhere
}

/// What of an event is read.
enum EventParts: Sendable {
    case whole
    /// Header and key. The value that is lent may be empty.
    case keys
}

/// How much of a replay has gone by.
struct EventSlice {
    let budget: Int
    let cut: EventCut
    private var bytes = 0
    private var main: Int64 = 0

    init(budget: Int, cut: EventCut) {
        self.budget = budget
        self.cut = cut
    }

    /// The slice ends before this event. The first is always in.
    func ends(before revision: Revision) -> Bool {
        guard bytes >= budget, bytes > 0 else { return false }
        switch cut {
        case .betweenRevisions: return revision.main != main
        case .anywhere: return true
        }
    }

    mutating func add(_ event: LentEvent) {
        bytes += event.bytes
        main = event.header.revision.main
    }
}
