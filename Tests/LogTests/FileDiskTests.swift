internal import Glibc
internal import StrakeLog
internal import StrakeRaft
internal import StrakeTemporaryDirectory
internal import Synchronization
internal import Testing

private final class Progress: Sendable {
    let isDone = Atomic(false)
    let reads = Atomic(0)
}

struct FileDiskTests {
    @Test func `files are created, written, read, renamed and removed`() throws {
        let directory = TemporaryDirectory()
        let disk = FileDisk()
        let path = directory.path + "/a"
        let file = try disk.open(path, .new)
        let bytes: [UInt8] = [1, 2, 3, 4]
        try bytes.withUnsafeBytes { try file.write($0, at: 2) }
        try file.sync()
        #expect(try file.size() == 6)
        var read = [UInt8](repeating: 9, count: 8)
        let count = try read.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        #expect(count == 6)
        #expect(read == [0, 0, 1, 2, 3, 4, 9, 9])
        try file.truncate(to: 3)
        #expect(try file.size() == 3)
        try disk.rename(path, to: directory.path + "/b")
        try disk.syncDirectory(directory.path)
        try disk.createDirectory(directory.path + "/c")
        try disk.createDirectory(directory.path + "/c")
        #expect(try disk.list(directory.path) == ["b", "c"])
        try disk.remove(directory.path + "/b")
        #expect(try disk.list(directory.path) == ["c"])
    }

    @Test func `errors name call, path and reason`() throws {
        let directory = TemporaryDirectory()
        let disk = FileDisk()
        let path = directory.path + "/a"
        #expect(throws: DiskError(operation: .open, path: path, errno: ENOENT)) { try disk.open(path, .existing) }
        _ = try disk.open(path, .new)
        #expect(throws: DiskError(operation: .open, path: path, errno: EEXIST)) { try disk.open(path, .new) }
        #expect(throws: DiskError(operation: .remove, path: path + "x", errno: ENOENT)) { try disk.remove(path + "x") }
        #expect(throws: DiskError(operation: .list, path: path, errno: ENOTDIR)) { try disk.list(path) }
        let error = DiskError(operation: .write, path: "/x", errno: ENOSPC)
        #expect(error.isDiskFull)
        #expect(String(describing: error) == "cannot write /x: No space left on device")
    }

    @Test func `a lock is held once, in one process too`() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/LOCK"
        let lock = try #require(try FileDisk().lock(path))
        #expect(try FileDisk().lock(path) == nil)
        lock.release()
        lock.release()
        #expect(try FileDisk().lock(path) != nil)
    }

    @Test func `a log on a real disk comes back`() throws {
        let directory = TemporaryDirectory()
        var options = DurableLog.Options()
        options.segmentBytes = 8_192
        options.retainedEntries = 0
        func open() throws(LogError) -> DurableLog {
            try DurableLog(directory: directory.path + "/log", on: FileDisk(), identity: identity, options: options)
        }
        let log = try open()
        #expect(throws: LogError.locked(path: directory.path + "/log")) { try open() }
        try log.append(entries: [], hardState: makeHardState(1))
        for index in UInt64(1)...100 {
            try log.appendSynced([makeEntry(1, index, bytes: 300)], makeHardState(1, committed: index))
            if log.wantsNextSegment { try log.prepareNextSegment() }
            if index % 20 == 0 { try log.truncatePrefix(through: makeSnapshot(1, index)) }
        }
        #expect(log.start.index.rawValue > 40)
        let entries = try log.allEntries()
        try log.close()
        let again = try open()
        #expect(try again.allEntries() == entries)
        #expect(again.hardState == makeHardState(1, committed: 100))
    }

    @Test func `readers see whole entries while segments are truncated and used again`() async throws {
        let directory = TemporaryDirectory()
        var options = DurableLog.Options()
        options.segmentBytes = 8_192
        options.retainedEntries = 20
        let log = try DurableLog(
            directory: directory.path + "/log", on: FileDisk(), identity: identity, options: options)
        try log.append(entries: [], hardState: makeHardState(1))
        let progress = Progress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { progress.isDone.store(true, ordering: .releasing) }
                var index: UInt64 = 0
                while index < 1_500 || progress.reads.load(ordering: .relaxed) < 50 {
                    index += 1
                    try log.append(
                        entries: [makeEntry(1, index, bytes: 300)], hardState: makeHardState(1, committed: index))
                    guard index % 10 == 0 else { continue }
                    try log.sync()
                    try log.truncatePrefix(through: makeSnapshot(1, index))
                    try log.prepareNextSegment()
                    await Task.yield()
                }
            }
            group.addTask {
                while !progress.isDone.load(ordering: .acquiring) {
                    await Task.yield()
                    let (first, last) = (log.firstIndex, log.lastIndex)
                    guard first <= last else { continue }
                    do throws(LogError) {
                        let entries = try log.entries(from: first, through: last, limitBytes: 20_000)
                        let expected = makeEntries(
                            1, first.rawValue...(first.rawValue + UInt64(entries.count) - 1), bytes: 300)
                        #expect(entries == expected)
                        progress.reads.add(1, ordering: .relaxed)
                    } catch {
                        guard case .compacted = error else { throw error }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(log.start.index.rawValue > 1_000)
    }
}
