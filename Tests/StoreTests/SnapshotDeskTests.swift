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
    private let leader = MemberID(rawValue: 1)
    private let follower = MemberID(rawValue: 2)

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

    @Test func `a snapshot that is whole leaves another one alone that has begun meanwhile`() throws {
        desk.receive(incoming(5, name: 5))
        try receive(5)
        #expect(desk.incoming(metadata(5), name: 5, from: leader) == nil)
        // The leader has pinned the same entry once more, under another name.
        let next = incoming(5, name: 6)
        desk.receive(next)
        try receive(5)
        #expect(desk.incoming(metadata(5), name: 6, from: leader) === next)
    }

    @Test(arguments: [SnapshotOutcome.delivered, .failed])
    func `the end of a stream says nothing of a snapshot that was pinned after it`(outcome: SnapshotOutcome) throws {
        let old = try outgoing(name: 1)
        desk.pin(old, for: follower)
        let new = try outgoing(name: 2)
        desk.pin(new, for: follower)
        #expect(desk.ended(follower, name: 1, outcome, now: 0) == nil)
        #expect(desk.outgoing(for: follower, new.metadata) === new)
        desk.expire(now: 2 * SnapshotDesk.keptMilliseconds)
        desk.letGo()
        #expect(desk.outgoing(for: follower, new.metadata) === new && new.isUseful && !old.isUseful)
        #expect(desk.ended(follower, name: 2, outcome, now: 0) == outcome)
        desk.expire(now: 2 * SnapshotDesk.keptMilliseconds)
        desk.letGo()
        #expect(desk.outgoing(for: follower, new.metadata) == nil && !new.isUseful)
        #expect(desk.ended(follower, name: 2, outcome, now: 0) == nil)
    }

    @Test func `what is given up is let go of later, by another thread than the one that gave it up`() throws {
        let removed = Mutex<[String]>([])
        let directory = TemporaryDirectory(in: .memory)
        let path = directory.path
        let half = IncomingSnapshot(
            metadata(5), name: 5, from: leader, clock: { 0 }, makeDirectory: { ("half", path) },
            removeDirectory: { name in removed.withLock { $0.append(name) } }, finished: { _ in })
        // The first piece makes the tables.
        try half.makeStream()?.write([1])
        desk.receive(half)
        desk.receive(incoming(9, name: 9))
        #expect(desk.hasRubbish(now: 0))
        #expect(removed.withLock { $0 } == [])
        desk.letGo()
        #expect(removed.withLock { $0 } == ["half"])
        #expect(!desk.hasRubbish(now: 0))
    }

    @Test func `tables that somebody reads are closed when nobody does`() throws {
        let directory = TemporaryDirectory(in: .memory)
        var tables: StoreTables? = try StoreTables(directory: directory.path)
        weak let watched = tables
        desk.addGarbage("old", tables)
        desk.letGo()
        tables = nil
        #expect(watched != nil && desk.hasRubbish(now: 0))
        desk.letGo()
        #expect(watched == nil)
    }

    private func outgoing(name: UInt64) throws -> OutgoingSnapshot {
        let directory = TemporaryDirectory(in: .memory)
        let machine = try StateMachine(tables: StoreTables(directory: directory.path), founding: metadata(9))
        return OutgoingSnapshot(machine.writer(), name: name)
    }

    private func incoming(_ index: UInt64, name: UInt64) -> IncomingSnapshot {
        IncomingSnapshot(
            metadata(index), name: name, from: leader, clock: { 0 }, makeDirectory: { ("", "") },
            removeDirectory: { _ in }, finished: { _ in })
    }

    private func metadata(_ index: UInt64) -> SnapshotMetadata {
        var metadata = SnapshotMetadata.bootstrap(voters: [MemberID(rawValue: 1)])
        metadata.last = EntryID(term: Term(rawValue: 2), index: LogIndex(rawValue: index))
        return metadata
    }

    private func receive(_ index: UInt64) throws {
        let name = try desk.directories.withLock { try $0.makeNew(for: metadata(index).last) }
        let tables = try StoreTables(directory: root.path + "/" + name)
        desk.stage(
            IncomingSnapshot.Staged(
                metadata: metadata(index), name: index, from: leader, directory: name, tables: tables))
    }

    private func directories() throws -> [String] {
        try FileDisk().list(root.path).filter { $0.hasPrefix("store") }
    }
}
