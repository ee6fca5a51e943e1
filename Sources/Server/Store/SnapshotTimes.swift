internal import Synchronization

/// Times the receipt of one snapshot, over as many streams as it takes.
final class SnapshotTimes: Sendable {
    private let gauges: StoreGauges
    private let began = Atomic<UInt64>(0)
    private let syncBegan = Atomic<UInt64>(0)

    init(_ gauges: StoreGauges) {
        self.gauges = gauges
    }

    /// The first piece has come.
    func begin() { began.store(MonotonicClock.nanoseconds, ordering: .relaxed) }

    /// The last one has come.
    func beginSync() { syncBegan.store(MonotonicClock.nanoseconds, ordering: .relaxed) }

    /// All of it is durable.
    func end() {
        let now = MonotonicClock.nanoseconds
        gauges.snapshotSyncs.record(now - syncBegan.load(ordering: .relaxed))
        gauges.snapshotSaves.record(now - began.load(ordering: .relaxed))
    }
}
