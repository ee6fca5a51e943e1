internal import NIOCore
internal import StrakeStore

/// Ends the streams of a loop that need a leader, once there has been none for three election timeouts (etcd's rule), and
/// the watches of a member in quarantine.
final class LeaderWatch {
    private static let periodsMax = 3

    private unowned let loop: LoopContext
    private var periods = 0
    private var task: RepeatedTask?

    /// On the loop.
    init(_ loop: LoopContext) {
        self.loop = loop
        let period = TimeAmount.milliseconds(Int64(loop.service.store.options.electionMilliseconds))
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        task = loop.eventLoop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.look() }
    }

    private func look() {
        if loop.service.store.isQuarantined {
            loop.forEachSession { $0.endWatchesInQuarantine() }
            loop.flush()
        }
        periods = loop.service.hasLeader ? 0 : periods + 1
        guard periods >= Self.periodsMax else { return }
        periods = 0
        loop.forEachSession { $0.endStreamsWithoutLeader() }
        loop.flush()
    }
}
