import Glibc
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeStore
import Synchronization
import Testing

/// What a member does when its disk fails beside the writes.
struct FaultTests {
    /// Keeps what a store says.
    private final class Notices: Sendable {
        private let all = Mutex<[StoreNotice]>([])

        func add(_ notice: StoreNotice) { all.withLock { $0.append(notice) } }

        var said: [StoreNotice] { all.withLock { $0 } }
    }

    private func options(_ directory: TemporaryDirectory, _ notices: Notices) -> StoreOptions {
        var options = StoreOptions(dataDirectory: directory.path + "/data")
        options.logSegmentBytes = 256 << 10
        options.onNotice = { notices.add($0) }
        return options
    }

    @Test func `a log that cannot be read stops the member`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let notices = Notices()
        // More than the replica keeps in memory, so that applying after the start reads the log.
        do {
            let running = try RunningStore(opening: options(directory, notices))
            let client = Client(running.store)
            let value = String(repeating: "x", count: 1 << 20)
            for number in 0..<20 { #expect(client.put("k\(number)", value).error == nil) }
            running.close()
        }
        try FileDisk().remove(directory.path + "/data/store/data.mdb")
        // Opening reads the log on this thread and applying on another.
        let opener = UInt(pthread_self())
        let disk = FaultyDisk { operation, _ in operation == .read && UInt(pthread_self()) != opener ? EIO : nil }
        #expect(throws: StoreStartError.self) { try RunningStore(opening: options(directory, notices), on: disk) }
        let reason = notices.said.lazy.compactMap { if case .fatal(let reason) = $0 { reason } else { nil } }.first
        #expect(reason?.hasPrefix("the log failed: read \(directory.path)/data/log/") == true, "\(reason ?? "nothing")")
        #expect(reason?.contains("Input/output error") == true)
        // Nothing is lost by it.
        let running = try RunningStore(opening: options(directory, notices))
        defer { running.close() }
        #expect(running.store.reader.revision == 21)
    }

    @Test(arguments: [ENOSPC, EDQUOT, EIO])
    func `a failure to recycle the log says what it was`(errno: Int32) throws {
        let directory = TemporaryDirectory(in: .memory)
        let notices = Notices()
        var options = options(directory, notices)
        options.retainedEntries = 0
        // Only housekeeping gives a segment another name.
        let disk = FaultyDisk { operation, path in operation == .rename && path.hasSuffix(".log") ? errno : nil }
        let running = try RunningStore(opening: options, on: disk)
        defer { running.close() }
        let client = Client(running.store)
        let value = String(repeating: "x", count: 100 << 10)
        func notice() -> (isFull: Bool, text: String)? {
            for notice in notices.said {
                if case .diskFull(let text) = notice { return (true, text) }
                if case .logFailing(let text) = notice { return (false, text) }
            }
            return nil
        }
        var rounds = 0
        while notice() == nil, rounds < 50 {
            rounds += 1
            // Looked at before the put: a checkpoint that comes by itself may take it.
            let checkpoints = running.store.metrics.checkpoints.load(ordering: .relaxed)
            let answer = client.put("k", value)
            if answer.error != nil { break }
            running.store.requestCheckpoint()
            while running.store.metrics.checkpoints.load(ordering: .relaxed) == checkpoints { sched_yield() }
            // Truncation follows the checkpoint on another thread.
            for _ in 0..<50 where notice() == nil { usleep(1_000) }
        }
        // A full disk leaves the segment at hand; any other failure ends the log, and nobody is left waiting.
        #expect(client.put("k", "more").error == (errno == EIO ? .stopped : nil))
        let said = try #require(notice())
        #expect(said.isFull == (errno != EIO))
        #expect(said.text.hasPrefix("rename \(directory.path)/data/log/"))
        #expect(said.text.hasSuffix(String(cString: strerror(errno))))
    }
}
