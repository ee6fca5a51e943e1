internal import StrakeLog
internal import StrakeRaft
internal import StrakeSimulatedDisk

let memberOne = MemberID(rawValue: 1)
let identity = MemberIdentity(cluster: 0xabc, member: memberOne)

func entryID(_ term: UInt64, _ index: UInt64) -> EntryID {
    EntryID(term: Term(rawValue: term), index: LogIndex(rawValue: index))
}

/// Data that no other entry has, and never a run of zeros.
func makeEntry(_ term: UInt64, _ index: UInt64, bytes: Int = 20) -> Entry {
    let data = (0..<bytes).map { UInt8(truncatingIfNeeded: UInt64($0) &* 7 &+ index &* 31 &+ term &* 101) | 1 }
    return Entry(id: entryID(term, index), kind: .command, data: data)
}

func makeEntries(_ term: UInt64, _ indexes: ClosedRange<UInt64>, bytes: Int = 20) -> [Entry] {
    indexes.map { makeEntry(term, $0, bytes: bytes) }
}

func makeHardState(_ term: UInt64, vote: UInt64? = nil, committed: UInt64 = 0) -> HardState {
    HardState(
        term: Term(rawValue: term), vote: vote.map { MemberID(rawValue: $0) },
        committed: LogIndex(rawValue: committed))
}

func makeSnapshot(_ term: UInt64, _ index: UInt64) -> SnapshotMetadata {
    SnapshotMetadata(
        last: entryID(term, index),
        configuration: Configuration(
            voters: [memberOne, MemberID(rawValue: 2)], learners: [MemberID(rawValue: 9)], autoLeave: true))
}

/// A log in memory, with small segments.
struct LogFixture {
    static let directory = "/data/log"

    let disk: SimulatedDisk
    var options: DurableLog.Options

    init(disk: SimulatedDisk = SimulatedDisk(), segmentBytes: Int = 4_096, retainedEntries: UInt64 = 0) throws {
        self.disk = disk
        try disk.createDirectory("/data")
        try disk.syncDirectory("/")
        options = DurableLog.Options()
        options.segmentBytes = segmentBytes
        options.retainedEntries = retainedEntries
        options.saltSeed = 7
    }

    func open() throws(LogError) -> DurableLog {
        try DurableLog(directory: Self.directory, on: disk, identity: identity, options: options)
    }

    /// Opens after the process died.
    func reopen() throws(LogError) -> DurableLog {
        disk.crashProcess()
        return try open()
    }

    /// Paths of the segments, in order.
    func segments() throws -> [String] {
        try disk.list(Self.directory).filter { $0.hasSuffix(".log") }.map { Self.directory + "/" + $0 }
    }

    func spares() throws -> [String] {
        try disk.list(Self.directory).filter { $0.hasPrefix("spare-") }
    }
}

extension DurableLog {
    /// Everything that can be read.
    func allEntries() throws(LogError) -> [Entry] {
        var entries: [Entry] = []
        var cursor = cursor(from: firstIndex)
        while let entry = try cursor.next() { entries.append(entry) }
        return entries
    }

    func appendSynced(_ entries: [Entry], _ state: HardState? = nil) throws(LogError) {
        try append(entries: entries, hardState: state)
        try sync()
    }
}
