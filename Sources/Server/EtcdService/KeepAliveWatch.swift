internal import NIOCore
internal import StrakeStore

/// Pings the clients of a loop that have been silent for long, as etcd's gRPC library does: a client whose machine has
/// died says nothing and would keep its streams for ever.
///
/// One task for all connections of the loop, which sleeps until the first of them is due.
final class KeepAliveWatch {
    /// Between two looks at least: connections that are due one after the other share one.
    private static let pauseMin: UInt64 = 50_000_000

    private unowned let loop: LoopContext
    private let interval: UInt64
    private let timeout: UInt64

    /// On the loop.
    init(_ loop: LoopContext) {
        self.loop = loop
        interval = UInt64(loop.service.options.pingMilliseconds) * 1_000_000
        timeout = UInt64(loop.service.options.pingTimeoutMilliseconds) * 1_000_000
        sleep(interval)
    }

    private func sleep(_ nanoseconds: UInt64) {
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        loop.eventLoop.scheduleTask(in: .nanoseconds(Int64(clamping: nanoseconds))) { bound.value.look() }
    }

    private func look() {
        let now = MonotonicClock.nanoseconds
        // Who connects from here on is not due before.
        var next = now + interval
        loop.forEachSession { session in
            next = min(next, session.keepAlive(now: now, interval: interval, timeout: timeout))
        }
        loop.flush()
        sleep(max(next - min(next, now), Self.pauseMin))
    }
}
