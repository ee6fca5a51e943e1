import StrakeLog
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeStore
import StrakeTables
import StrakeTemporaryDirectory
import Synchronization
import Testing

/// Received snapshots, until they become the store or turn out to be of no use.
struct SnapshotDeskTests {
    private let root = TemporaryDirectory(in: .memory)
    private let desk: SnapshotDesk

    init() throws {
        desk = SnapshotDesk(try StoreDirectories(in: root.path, on: FileDisk()))
    }

    @Test func `a snapshot that waits for the disk is still there when a newer one has come`() throws {
        try receive(5)
        try receive(9)
        #expect(desk.takeStaged(metadata(5))?.metadata == metadata(5))
        #expect(desk.takeStaged(metadata(5)) == nil)
        #expect(desk.takeStaged(metadata(9))?.metadata == metadata(9))
    }

    @Test func `a snapshot that came twice is kept once`() throws {
        try receive(5)
        try receive(5)
        #expect(try directories().count == 3)
        desk.removeGarbage()
        #expect(try directories().count == 2)
        #expect(desk.takeStaged(metadata(5)) != nil)
    }

    @Test func `of snapshots that are of no use the directories go, and the others stay`() throws {
        try receive(5)
        try receive(9)
        desk.discard([metadata(9)])
        desk.removeGarbage()
        #expect(try directories().count == 2)
        #expect(desk.takeStaged(metadata(9)) == nil)
        #expect(desk.takeStaged(metadata(5)) != nil)
    }

    private func metadata(_ index: UInt64) -> SnapshotMetadata {
        var metadata = SnapshotMetadata.bootstrap(voters: [MemberID(rawValue: 1)])
        metadata.last = EntryID(term: Term(rawValue: 2), index: LogIndex(rawValue: index))
        return metadata
    }

    private func receive(_ index: UInt64) throws {
        let name = try desk.directories.withLock { try $0.makeNew(for: metadata(index).last) }
        let tables = try StoreTables(directory: root.path + "/" + name)
        desk.stage(IncomingSnapshot.Staged(metadata: metadata(index), directory: name, tables: tables))
    }

    private func directories() throws -> [String] {
        try FileDisk().list(root.path).filter { $0.hasPrefix("store") }
    }
}
