import Dispatch
import StrakeLog
import StrakeMVCC
import StrakeModel
import StrakeStore
import Synchronization
import Testing

/// A leader whose disk stands still.
@Suite(.serialized) @OwnThread
struct StallTests {
    /// Lets flushes of the log through, or makes them wait.
    private final class Gate: Sendable {
        private struct State {
            var isShut = false
            var waiting = 0
        }

        private let state = Mutex(State())
        private let opened = DispatchSemaphore(value: 0)

        var disk: FaultyDisk {
            FaultyDisk { [self] operation, path in
                guard operation == .sync, path.contains("/log/") else { return nil }
                let isShut = state.withLock { state in
                    if state.isShut { state.waiting += 1 }
                    return state.isShut
                }
                if isShut { opened.wait() }
                return nil
            }
        }

        func shut() { state.withLock { $0.isShut = true } }

        func open() {
            let waiting = state.withLock { state in
                defer { state = State() }
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
}
