/// Which batches of proposals of one member have come: each is to be taken once, however often its message comes.
package struct BatchWindow: Hashable, Sendable {
    /// Nil before the first one.
    private var newest: BatchID?
    /// Bit n: the batch n below the newest one has come. One that is overtaken by more than these is lost.
    private var seen: UInt64 = 0
    /// Sessions before the newest batch's, the last one last: the member has begun anew since, so a message of theirs that
    /// still comes is late or comes again.
    private var past: [UInt64] = []

    /// Sessions that are remembered. A message that comes again after so many starts of its member would be taken twice.
    package static let sessionsMax = 8

    package init() {}

    /// False for one that has come, or may have.
    package mutating func admit(_ batch: BatchID) -> Bool {
        guard let newest, newest.session == batch.session else {
            if past.contains(batch.session) { return false }
            if let newest { past.append(newest.session) }
            if past.count > Self.sessionsMax { past.removeFirst() }
            self.newest = batch
            seen = 1
            return true
        }
        if batch.number > newest.number {
            // A shift by more than the width gives zero.
            seen = seen << (batch.number - newest.number) | 1
            self.newest = batch
            return true
        }
        let bit: UInt64 = 1 << (newest.number - batch.number)
        guard bit != 0, seen & bit == 0 else { return false }
        seen |= bit
        return true
    }
}
