import Dispatch
import StrakeMVCC
import StrakeStore
import StrakeTemporaryDirectory
import Synchronization
import Testing

struct AutoCompactionTests {
    private static let minute: Int64 = 60_000
    private static let hour = 60 * minute

    /// Moves the time on in steps; each revision is the minute in which it was current. What is decided is done at once.
    private struct Run {
        var decisions: AutoCompaction
        var now: Int64
        var isLeader = true
        var compacted: [(at: Int64, revision: Int64)] = []

        init(_ policy: AutoCompaction.Policy, start: Int64 = 1) {
            now = start * minute
            decisions = AutoCompaction(policy, now: now, revision: start)
        }

        mutating func run(minutes: Int64, fails: Bool = false) {
            for _ in 0..<minutes {
                now += minute
                let revision = now / minute
                guard let target = decisions.tick(now: now, revision: revision, isLeader: isLeader) else { continue }
                if !fails { compacted.append((revision, target)) }
                decisions.ended(isDone: !fails, now: now, revision: revision)
            }
        }

        var summary: [String] { compacted.map { "\($0.at): \($0.revision)" } }
    }

    @Test func `of a period of an hour or less all that is older goes once a period`() {
        var run = Run(.period(milliseconds: Self.hour))
        run.run(minutes: 60)
        // A look every 6 minutes; the first one at the end of the whole period.
        #expect(run.summary == ["61: 1"])
        run.run(minutes: 120)
        #expect(run.summary == ["61: 1", "121: 55", "181: 115"])
        var short = Run(.period(milliseconds: 10 * Self.minute))
        short.run(minutes: 30)
        #expect(short.summary == ["11: 1", "21: 10", "31: 20"])
    }

    @Test func `of a longer period the first compaction waits for all of it, and later ones come every hour`() {
        var run = Run(.period(milliseconds: 3 * Self.hour))
        run.run(minutes: 179)
        #expect(run.summary.isEmpty)
        run.run(minutes: 121)
        #expect(run.summary == ["181: 1", "241: 55", "301: 115"])
    }

    @Test func `the revision that stays was current a period ago, at most a look more`() {
        var run = Run(.period(milliseconds: 2 * Self.hour + 3 * Self.minute))
        run.run(minutes: 20 * 60)
        #expect(run.compacted.count > 10)
        for (at, revision) in run.compacted { #expect((123...129).contains(at - revision), "\(at): \(revision)") }
    }

    @Test func `nothing is compacted again while no revision is new`() {
        var decisions = AutoCompaction(.period(milliseconds: Self.hour), now: 0, revision: 7)
        var asked: [Int64] = []
        for minute in 1...600 {
            let now = Int64(minute) * Self.minute
            guard let target = decisions.tick(now: now, revision: 7, isLeader: true) else { continue }
            asked.append(target)
            decisions.ended(isDone: true, now: now, revision: 7)
        }
        #expect(asked == [7])
    }

    @Test func `a member that does not lead remembers what was when, and acts when it leads`() {
        var run = Run(.period(milliseconds: Self.hour))
        run.isLeader = false
        run.run(minutes: 300)
        #expect(run.summary.isEmpty)
        run.isLeader = true
        run.run(minutes: 6)
        #expect(run.summary == ["307: 241"])
    }

    @Test func `a compaction that fails is tried again at the next look`() {
        var run = Run(.period(milliseconds: Self.hour))
        run.run(minutes: 62, fails: true)
        run.run(minutes: 5)
        #expect(run.summary == ["67: 1"])
    }

    @Test func `so many revisions stay, looked at every five minutes`() {
        var run = Run(.revisions(100))
        run.run(minutes: 99)
        #expect(run.summary.isEmpty)
        run.run(minutes: 12)
        #expect(run.summary == ["101: 1", "106: 6", "111: 11"])
        run.isLeader = false
        run.run(minutes: 60)
        run.isLeader = true
        run.run(minutes: 5)
        #expect(run.summary.last == "176: 76")
    }

    @Test func `no decision is made while one is not carried out`() {
        var decisions = AutoCompaction(.revisions(1), now: 0, revision: 1)
        #expect(decisions.tick(now: 5 * Self.minute, revision: 10, isLeader: true) == 9)
        #expect(decisions.tick(now: 10 * Self.minute, revision: 20, isLeader: true) == nil)
        decisions.ended(isDone: false, now: 11 * Self.minute, revision: 20)
        #expect(decisions.tick(now: 15 * Self.minute, revision: 20, isLeader: true) == nil)
        #expect(decisions.tick(now: 16 * Self.minute, revision: 20, isLeader: true) == 19)
    }

    @Test func `a leader's history shrinks by itself, and the operator hears of it`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let events = Mutex<[AutoCompaction.Event]>([])
        let isDone = DispatchSemaphore(value: 0)
        var options = StoreOptions(dataDirectory: directory.path)
        options.heartbeatMilliseconds = 10
        options.electionMilliseconds = 100
        options.autoCompaction = .period(milliseconds: 200)
        options.onNotice = { notice in
            guard case .progress(.autoCompaction(let event)) = notice else { return }
            events.withLock { $0.append(event) }
            // The revision after the puts, which stays.
            if event.outcome == .done, event.revision == 4 { isDone.signal() }
        }
        let running = try RunningStore(opening: options)
        defer { running.close() }
        let client = Client(running.store)
        for index in 0..<3 { _ = client.put("a", "\(index)") }
        #expect(isDone.wait(timeout: .now() + 10) == .success)
        #expect(running.store.reader.compactRevision == 4)
        #expect(events.withLock { $0.first?.outcome } == .begun)
    }
}
