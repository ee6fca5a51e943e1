internal import StrakeRaft

/// When the next entries may go to a member that is far behind. While clients keep the others busy it gains on them at a
/// bounded rate: the log that it reads, its disk and its processor may be those that clients wait for. A member that the
/// quorum needs is not far behind what is committed, and never waits.
package struct CatchUpPace {
    /// What goes to the member at once.
    package struct Batch {
        package var bytes: Int
        package var entries: Int
        /// The newest of the entries, and what was committed when they were sent.
        package var last: UInt64
        package var committed: UInt64

        package init(bytes: Int, entries: Int, last: UInt64, committed: UInt64) {
            self.bytes = bytes
            self.entries = entries
            self.last = last
            self.committed = committed
        }
    }

    /// Committed entries that a member lacks before it counts as far behind.
    package static let entriesBehindMin: UInt64 = 10_000
    /// What an entry costs beyond its bytes, in bytes.
    package static let entryBytes = 512
    /// Bytes that clients write a second before the cluster counts as busy.
    package static let busyBytesPerSecond: Int64 = 4 << 20
    /// Bytes a second that a member gains on a busy cluster.
    package static let gainBytesPerSecond: Int64 = 12 << 20
    private static let second: Int64 = 1_000_000_000
    /// A pause that took too long is made up for by shorter ones, up to this.
    private static let credit = second / 20

    private var due: Int64 = 0

    package init() {}

    /// - Parameters:
    ///   - now: Nanoseconds of a clock that never goes back.
    ///   - writes: Of clients. That they are few just now may be this member's doing, so the highest rate tells whether
    ///     they want more.
    /// - Returns: Nanoseconds from now until the next batch is due.
    package mutating func pause(after batch: Batch, at now: Int64, beside writes: WriteRate) -> Int64 {
        guard batch.entries > 0, batch.committed > batch.last, batch.committed - batch.last > Self.entriesBehindMin
        else { return 0 }
        let bytes = Int64(batch.bytes + batch.entries * Self.entryBytes)
        let entryBytes = bytes / Int64(batch.entries)
        guard writes.highest * entryBytes > Self.busyBytesPerSecond else { return 0 }
        let bytesPerSecond = writes.newest * entryBytes + Self.gainBytesPerSecond
        due = max(due, now - Self.credit) + bytes * Self.second / bytesPerSecond
        return max(0, due - now)
    }
}

extension CatchUpPace.Batch {
    init(_ items: [SendQueue.Item]) {
        self.init(bytes: 0, entries: 0, last: 0, committed: 0)
        for case .message(let message, let bytes) in items {
            guard case .append(let append) = message.body else { continue }
            self.bytes += bytes
            entries += append.entries.count
            last = append.previous.index.rawValue + UInt64(append.entries.count)
            committed = append.committed.rawValue
        }
    }
}
