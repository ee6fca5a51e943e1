internal import Glibc
internal import Synchronization

/// How far a run has come: shared by all connections, watched by the bar.
final class Progress: Sendable {
    let total: Int
    let started: UInt64
    private let taken = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)
    private let failed = Atomic<Int>(0)
    /// The first failure, for the report.
    let firstError = Mutex<String?>(nil)

    init(total: Int) {
        self.total = total
        started = Clock.nanoseconds
    }

    /// The number of the next operation to begin; `nil` when all have begun.
    func take() -> Int? {
        let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < total ? index : nil
    }

    /// - Returns: It was the last.
    func finish(_ count: Int = 1) -> Bool {
        finished.add(count, ordering: .relaxed)
        return finished.load(ordering: .relaxed) >= total
    }

    func fail(_ reason: String) {
        failed.add(1, ordering: .relaxed)
        firstError.withLock { if $0 == nil { $0 = reason } }
    }

    var done: Int { finished.load(ordering: .relaxed) }
    var errors: Int { failed.load(ordering: .relaxed) }
}

enum Clock {
    static var nanoseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
