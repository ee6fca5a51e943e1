import Dispatch
import Glibc
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeStore
import StrakeTemporaryDirectory
import Synchronization
import Testing

/// What a member does when its disk fails beside the writes.
struct FaultTests {
    /// Keeps what a store says.
    private final class Notices: Sendable {
        private let all = Mutex<[StoreNotice]>([])
        private let logFailed = DispatchSemaphore(value: 0)

        func add(_ notice: StoreNotice) {
            all.withLock { $0.append(notice) }
            switch notice {
            case .diskFull, .logFailing: logFailed.signal()
            default: break
            }
        }

        var said: [StoreNotice] { all.withLock { $0 } }

        /// Waits until it was said that the log cannot grow or fails; what was said, and whether that is a full disk.
        func logFailure(seconds: Int = 30) -> (isFull: Bool, text: String)? {
            guard logFailed.wait(timeout: .now() + .seconds(seconds)) == .success else { return nil }
            for notice in said {
                if case .diskFull(let text) = notice { return (true, text) }
                if case .logFailing(let text) = notice { return (false, text) }
            }
            return nil
        }
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
        #expect(
            reason?.hasPrefix("the log failed: cannot read \(directory.path)/data/log/") == true,
            "\(reason ?? "nothing")")
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
        // Several segments' worth. A compaction that is to have freed its space is answered after a checkpoint, which has
        // the log cut behind it.
        for _ in 0..<20 {
            let answer = client.put("k", value)
            guard answer.error == nil else { break }
            guard client.run(.compact(revision: answer.revision, physical: true)).error == nil else { break }
        }
        let said = try #require(notices.logFailure())
        // A full disk leaves the segment at hand; any other failure ends the log, and nobody is left waiting.
        #expect(client.put("k", "more").error == (errno == EIO ? .stopped : nil))
        #expect(said.isFull == (errno != EIO))
        #expect(said.text.hasPrefix("cannot rename \(directory.path)/data/log/"))
        #expect(said.text.hasSuffix(String(cString: strerror(errno))))
    }
}
