package import StrakeRaft
internal import Synchronization

/// The raft log on disk: a directory of segments.
///
/// Calls come in three groups, each safe beside the others. The writer's (`append`, `sync`, `replaceAll`, `close`) come
/// from one thread at a time. Housekeeping (`prepareNextSegment`, `truncatePrefix`) may take tens of milliseconds and
/// belongs on a background thread. Readers may be anywhere.
///
/// A failed write or sync ends the log: every later call throws the same error. It has to be opened again, which trusts
/// nothing that is not proven to have been synced.
package final class DurableLog: Sendable {
    package struct Options: Sendable {
        /// Constant size of a segment. It is written with zeros beforehand: a sync then has no metadata to write, and takes
        /// 109 us instead of 199 (measured; unwritten extents, as fallocate makes them, do not help).
        package var segmentBytes = 16 << 20
        /// Entries below the checkpoint that are kept for followers that lag.
        package var retainedEntries: UInt64 = 10_000
        /// Truncated segments that are kept for use as new ones.
        package var sparesMax = 2
        /// Whether a log may be created; otherwise one must be there.
        package var mayCreate = true
        /// Where the segments' salts come from.
        package var saltSeed = UInt64.random(in: 0...UInt64.max)

        package init() {}
    }

    let disk: any Disk
    let directory: String
    let options: Options
    let maker: SegmentMaker
    let lock: any DiskLock
    /// Taken by the writer without ever waiting: it marks who writes, and guards no shared data.
    let writer: Mutex<LogWriter>
    let shared: Mutex<SharedState>
    /// Files that may become spares. The lock also keeps housekeeping to one thread.
    let housekeeping: Mutex<[String]>

    /// What opening cut away, nil if nothing was.
    package let repair: TailRepair?

    /// Opens the log in `directory`, which is created if absent. Verifies every record; repairs and syncs the end.
    ///
    /// - Complexity: one read of the log.
    package init(
        directory: String, on disk: any Disk, identity: MemberIdentity, options: Options = Options()
    ) throws(LogError) {
        precondition(options.segmentBytes >= 4_096 && options.segmentBytes < 1 << 31, "segmentBytes")
        lock = try Self.lock(directory, on: disk)
        let names: [String]
        let recyclable: [String]
        do {
            names = try disk.list(directory)
            recyclable = try Self.adoptSpares(names, in: directory, on: disk, sparesMax: options.sparesMax)
        } catch { throw .disk(error) }
        self.disk = disk
        self.directory = directory
        self.options = options
        maker = SegmentMaker(
            disk: disk, directory: directory, identity: identity, options: options,
            nextSpare: (names.compactMap(SegmentName.parseSpare).max() ?? 0) + 1)
        housekeeping = Mutex(recyclable)

        let found = try LogRecovery(disk: disk, directory: directory, identity: identity).run(names: names)
        guard found != nil || options.mayCreate else { throw .missingLog(path: directory) }
        repair = found?.repair
        var encoder = RecordEncoder()
        let result = if let found { found } else { try Self.create(with: maker, encoder: &encoder) }
        let state = result.state
        shared = Mutex(
            SharedState(
                index: state.index, segments: result.segments, hardState: state.hardState, snapshot: state.snapshot))
        writer = Mutex(
            LogWriter(
                encoder: encoder, segment: result.segments[result.segments.count - 1], begin: 0,
                position: result.position, checksum: result.checksum, last: state.index.last,
                hardState: state.hardState, snapshot: state.snapshot))
    }

    private static func lock(_ directory: String, on disk: any Disk) throws(LogError) -> any DiskLock {
        let held: (any DiskLock)?
        do throws(DiskError) {
            try disk.makeDirectory(directory)
            held = try disk.lock(directory + "/" + SegmentName.lock)
        } catch { throw .disk(error) }
        guard let held else { throw .locked(path: directory) }
        return held
    }

    /// Keeps some of the spares that an earlier run left. How far they were filled is not known.
    private static func adoptSpares(
        _ names: [String], in directory: String, on disk: any Disk, sparesMax: Int
    ) throws(DiskError) -> [String] {
        let spares = names.filter { SegmentName.parseSpare($0) != nil }.map { directory + "/" + $0 }
        for path in spares.dropFirst(sparesMax) { try disk.remove(path) }
        return Array(spares.prefix(sparesMax))
    }

    private static func create(
        with maker: SegmentMaker, encoder: inout RecordEncoder
    ) throws(LogError) -> LogRecovery.Result {
        let begun = try maker.begin(
            sequence: 1, start: .zero, previousChecksum: 0, isReset: false, hardState: HardState(), snapshot: nil,
            spare: nil, encoder: &encoder)
        return LogRecovery.Result(
            state: LogState(start: .zero), segments: [begun.segment], position: begun.position,
            checksum: begun.checksum, repair: nil)
    }
}

extension DurableLog {
    /// The first entry that can be read; one above `lastIndex` if there is none.
    package var firstIndex: LogIndex { shared.withLock { $0.index.start.index + 1 } }

    /// Counts what was appended, synced or not.
    package var lastIndex: LogIndex { last.index }

    package var last: EntryID { shared.withLock { $0.index.last } }

    /// What the segments take on the disk, spares not counted.
    package var bytes: Int { shared.withLock { $0.segments.count } * options.segmentBytes }

    /// The entry just before `firstIndex`: zero for a log that was never truncated.
    package var start: EntryID { shared.withLock { $0.index.start } }

    /// The last one appended, synced or not.
    package var hardState: HardState { shared.withLock { $0.hardState } }

    /// The last synced mark of what the state machine has durably. Never before `start`.
    package var snapshot: SnapshotMetadata? { shared.withLock { $0.snapshot } }
}
