import Dispatch
import Glibc
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeStore
import Synchronization
import Testing

/// A leader whose disk stands still.
@Suite(.serialized) @OwnThread
struct StallTests {
    /// Lets flushes of the log through, or makes them wait. Or another kind of call.
    private final class Gate: Sendable {
        private struct State {
            var isShut = false
            var waiting = 0
        }

        private let state = Mutex(State())
        private let opened = DispatchSemaphore(value: 0)
        private let kind: DiskError.Operation
        private let part: String

        init(_ kind: DiskError.Operation = .sync, under part: String = "/log/") {
            self.kind = kind
            self.part = part
        }

        var disk: FaultyDisk {
            FaultyDisk { [self] operation, path in
                guard operation == kind, path.contains(part) else { return nil }
                let isShut = state.withLock { state in
                    if state.isShut { state.waiting += 1 }
                    return state.isShut
                }
                if isShut { opened.wait() }
                return nil
            }
        }

        func shut() { state.withLock { $0.isShut = true } }

        var isWaitedAt: Bool { state.withLock { $0.waiting > 0 } }

        func open() {
            let waiting = state.withLock { state in
                defer {
                    state.isShut = false
                    state.waiting = 0
                }
                return state.waiting
            }
            for _ in 0..<waiting { opened.signal() }
        }
    }

    @Test func `it hands over, and the others go on without it`() throws {
        let gate = Gate()
        // Only its own disk makes it slow: its messages come in time.
        let cluster = try TestCluster(3, disks: [0: gate.disk]) { $0.electionMilliseconds = 300 }
        defer { gate.open() }
        let first = try cluster.leader()
        if first != 0 { #expect(cluster.client(first).moveLeader(to: cluster.store(0).memberID) == nil) }
        #expect(try cluster.leader() == 0)
        #expect(cluster.client(1).put("a", "1").error == nil)
        let term = cluster.store(1).status().term

        gate.shut()
        let began = MonotonicClock.milliseconds
        // Two of three hold it durably, so it is committed, and the member that was asked answers.
        #expect(cluster.client(1).put("a", "2").error == nil)
        #expect(MonotonicClock.milliseconds - began < 300)
        let waiting = cluster.client(0).begin(.put(PutRequest(key: Array("b".utf8), value: Array("3".utf8))))
        _ = try cluster.leader(among: [1, 2])
        #expect(MonotonicClock.milliseconds - began < 3 * 300 + 500)
        #expect(cluster.store(1).status().term > term)
        #expect(cluster.client(1).put("a", "4").error == nil)
        #expect(cluster.client(2).read() == nil)
        #expect(try cluster.store(2).value("a") == "4")

        gate.open()
        #expect(cluster.client(0).wait(for: waiting).error == nil)
        #expect(cluster.client(0).read() == nil)
        #expect(try cluster.store(0).value("a") == "4")
        #expect(try cluster.store(0).value("b") == "3")
        #expect(try cluster.haveEqualHistories())
    }

    @Test func `it sends heartbeats all the same while files of an old store are removed`() throws {
        let gate = Gate(.remove, under: "/store/")
        let cluster = try TestCluster(3, disks: [0: gate.disk]) {
            $0.electionMilliseconds = 300
            $0.retainedEntries = 20
        }
        defer { gate.open() }
        let first = try cluster.leader()
        if first == 0 { #expect(cluster.client(0).moveLeader(to: cluster.store(1).memberID) == nil) }
        let leader = try cluster.leader()
        cluster.stop(0)
        SnapshotTests.fill(cluster.client(leader))
        try cluster.dropLog(of: leader)
        gate.shut()
        try cluster.start(0)
        try cluster.eventually("the snapshot") { cluster.notices.contains("m0: installed") }
        try cluster.eventually("the removal to begin") { gate.isWaitedAt }
        try cluster.eventually("the leadership") {
            cluster.client(leader).moveLeader(to: cluster.store(0).memberID) == nil
        }
        #expect(try cluster.leader() == 0)
        let term = cluster.store(1).status().term
        let began = MonotonicClock.milliseconds
        try cluster.eventually("three election timeouts to pass") { MonotonicClock.milliseconds - began > 1_000 }
        #expect(
            cluster.store(1).status().term == term && cluster.store(1).status().leader == cluster.store(0).memberID)
        gate.open()
        #expect(cluster.client(0).put("a", "1").error == nil)
        #expect(try cluster.haveEqualHistories())
    }

    /// Holds up what is sent to a member, and whoever sends it.
    private final class SlowWay: Transport {
        private let inner: MemoryTransport
        private let pause = Mutex<Int?>(nil)
        private let sent = Atomic(0)

        init(_ inner: MemoryTransport) { self.inner = inner }

        /// Times that heartbeats were sent.
        var heartbeats: Int { sent.load(ordering: .relaxed) }

        /// The next heartbeat is sent so much later, in milliseconds.
        func hold(milliseconds: Int) { pause.withLock { $0 = milliseconds } }

        var isFree: Bool { pause.withLock { $0 == nil } }

        func send(_ messages: [Message]) {
            let isHeartbeat = messages.contains { if case .heartbeat = $0.body { true } else { false } }
            if isHeartbeat, let milliseconds = pause.withLock({ $0.take() }) {
                _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(milliseconds))
            }
            if isHeartbeat { sent.add(1, ordering: .relaxed) }
            inner.send(messages)
        }

        func update(_ peers: [Peer]) { inner.update(peers) }
        func start(_ receiver: any TransportReceiver) { inner.start(receiver) }
        func sendSnapshot(_ metadata: SnapshotMetadata, to member: MemberID, from source: any SnapshotSource) {
            inner.sendSnapshot(metadata, to: member, from: source)
        }
        func ask(_ member: MemberID, _ request: [UInt8], answer: @escaping @Sendable ([UInt8]?) -> Void) {
            inner.ask(member, request, answer: answer)
        }
        func close() { inner.close() }
    }

    @Test func `heartbeats that come too late are counted, for each member`() throws {
        let cluster = try TestCluster(3) {
            $0.heartbeatMilliseconds = 100
            $0.electionMilliseconds = 5_000
        }
        cluster.stop(0)
        let way = Mutex<SlowWay?>(nil)
        try cluster.start(0) { inner in
            let slow = SlowWay(inner)
            way.withLock { $0 = slow }
            return slow
        }
        let slow = try #require(way.withLock { $0 })
        let first = try cluster.leader()
        if first != 0 {
            try cluster.eventually("the leadership") {
                cluster.client(first).moveLeader(to: cluster.store(0).memberID) == nil
            }
        }
        #expect(cluster.client(0).put("a", "1").error == nil)
        // The first heartbeats of a leader have none before them that they could be late after.
        let heartbeats = slow.heartbeats
        try cluster.eventually("heartbeats of the new leader") { slow.heartbeats >= heartbeats + 3 }
        let late = cluster.store(0).metrics.lateHeartbeats.load(ordering: .relaxed)
        // Not so long that somebody is elected.
        slow.hold(milliseconds: 500)
        try cluster.eventually("heartbeats that are late") {
            slow.isFree && cluster.store(0).metrics.lateHeartbeats.load(ordering: .relaxed) >= late + 2
        }
    }

    /// Takes answers as long as it likes, on the thread that brings them.
    private final class Holdup: AnswerTarget {
        enum Kind {
            case works, waits
        }

        private let kind: Kind
        private let isArmed = Atomic(false)
        private let isReleased = Atomic(false)
        private let released = DispatchSemaphore(value: 0)
        private let began = Atomic(false)
        private let missed = Atomic(0)

        init(_ kind: Kind) { self.kind = kind }

        func offer(_ changes: PublishedEvents) -> Bool { true }

        var hasBegun: Bool { began.load(ordering: .acquiring) }
        /// Times that another thread came, and was let through.
        var misses: Int { missed.load(ordering: .acquiring) }

        func arm() { isArmed.store(true, ordering: .releasing) }

        func release() {
            isReleased.store(true, ordering: .releasing)
            released.signal()
        }

        func take(_ batch: AnswerBatch) {
            guard isArmed.exchange(false, ordering: .acquiringAndReleasing) else { return }
            guard Self.threadName == "strake-disk" else {
                missed.add(1, ordering: .releasing)
                return
            }
            began.store(true, ordering: .releasing)
            switch kind {
            case .works: while !isReleased.load(ordering: .acquiring) {}
            case .waits: released.wait()
            }
        }

        private static var threadName: String {
            guard let file = fopen("/proc/thread-self/comm", "r") else { return "" }
            defer { fclose(file) }
            var name: [UInt8] = []
            while case let byte = fgetc(file), byte >= 32 { name.append(UInt8(byte)) }
            return String(decoding: name, as: UTF8.self)
        }
    }

    @Test(arguments: [true, false])
    func `it does not hand over while its disk's thread works, but does when that waits too`(works: Bool) throws {
        let gate = Gate()
        let cluster = try TestCluster(3, disks: [0: gate.disk]) { $0.electionMilliseconds = 300 }
        let holdup = Holdup(works ? .works : .waits)
        defer {
            gate.open()
            holdup.release()
        }
        let first = try cluster.leader()
        if first != 0 { #expect(cluster.client(first).moveLeader(to: cluster.store(0).memberID) == nil) }
        #expect(try cluster.leader() == 0)
        #expect(cluster.client(1).put("a", "1").error == nil)
        _ = cluster.store(0).register(holdup)
        let term = cluster.store(0).status().term

        // The others have committed the entry when the leader's own disk has it, so its thread goes on to apply it, unless
        // something else waits to be written just then.
        var puts: [UInt64] = []
        while !holdup.hasBegun, holdup.misses < 20 {
            let value = "\(puts.count + 2)"
            gate.shut()
            puts.append(
                cluster.client(0).begin(.put(PutRequest(key: Array("a".utf8), value: Array(value.utf8)))))
            try cluster.eventually("the others to apply it") {
                try cluster.store(1).value("a") == value && cluster.store(2).value("a") == value
            }
            holdup.arm()
            gate.open()
            try cluster.eventually("the thread to come") { holdup.hasBegun || holdup.misses == puts.count }
        }
        try #require(holdup.hasBegun, "\(holdup.misses) times another thread applied")
        print("held up the disk's thread after \(holdup.misses) misses")
        let began = MonotonicClock.milliseconds
        let next = cluster.client(0).begin(.put(PutRequest(key: Array("b".utf8), value: Array("3".utf8))))
        if works {
            // Three times as long as a disk may take.
            try cluster.eventually("some time to pass") { MonotonicClock.milliseconds - began > 1_000 }
            #expect(
                cluster.store(1).status().term == term && cluster.store(1).status().leader == cluster.store(0).memberID)
        } else {
            try cluster.eventually("another leader") {
                let leader = cluster.store(1).status().leader
                return leader != 0 && leader != cluster.store(0).memberID
            }
        }
        holdup.release()
        for put in puts { #expect(cluster.client(0).wait(for: put).error == nil) }
        #expect(cluster.client(0).wait(for: next).error == nil)
        #expect(try cluster.haveEqualHistories())
    }
}
