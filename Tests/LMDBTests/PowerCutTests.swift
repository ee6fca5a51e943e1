import Glibc
import StrakeLMDB
import StrakePowerCut
import StrakeSeededGenerator
import StrakeTemporaryDirectory
import Testing

@Suite(.serialized)
struct PowerCutTests {
    @Test func `the writes of liblmdb are seen`() throws {
        #expect(PowerCut.isInPlace)
        let directory = TemporaryDirectory(in: .memory)
        let recording = PowerCut(directory: directory.path)
        defer { recording.stop() }
        let environment = try Environment(directory: directory.path, tables: ["one"], mapBytes: 1 << 30)
        let before = recording.position
        #expect(before > 0)
        try CommitLog(seed: 1).commit(to: environment, recording: recording)
        // Pages, a sync, a meta page.
        #expect(recording.position >= before + 3)
    }

    /// One workload of commits, recorded, and then cut at random moments.
    private func cuts(
        _ durability: Environment.Durability, seed: UInt64, cutCount: Int,
        _ judge: (CommitLog, _ directory: String, _ position: Int) -> Void
    ) throws -> CutSummary {
        var random = SeededGenerator(seed: seed)
        let directory = TemporaryDirectory(in: .memory)
        let recording = PowerCut(directory: directory.path)
        defer { recording.stop() }
        let log = CommitLog(seed: seed)
        let environment = try Environment(
            directory: directory.path, tables: ["one"], mapBytes: 1 << 30, durability: durability)
        // From the file's creation on, for `.full`.
        if durability == .nothing { try environment.sync() }
        let start = durability == .full ? 0 : recording.position
        for _ in 0..<40 { try log.commit(to: environment, recording: recording) }
        var total = CutSummary()
        for _ in 0..<cutCount {
            let position = start + Int(random.next() % UInt64(recording.position - start + 1))
            let target = TemporaryDirectory(in: .memory)
            total += recording.cut(at: position, seed: random.next(), into: target.path)
            judge(log, target.path, position)
        }
        return total
    }

    @Test func `with ordinary commits, no cut loses a commit or harms a row`() throws {
        var total = CutSummary()
        for seed in UInt64(1)...300 {
            total += try cuts(.full, seed: seed, cutCount: 5) { log, directory, position in
                let verdict = log.verdict(on: directory, at: position)
                #expect(verdict == .intact, "seed \(seed), cut at \(position)")
            }
        }
        // The cuts did fall among unsynced writes.
        #expect(total.lostWrites > 1_000 && total.tornWrites > 300, "\(total)")
    }

    @Test func `without syncs, cuts lose commits and harm rows: the rig can tell`() throws {
        var verdicts: [ChildProcess.Ending: Int] = [:]
        for seed in UInt64(1)...100 {
            _ = try cuts(.nothing, seed: seed, cutCount: 1) { log, directory, position in
                let ending = ChildProcess.run { log.verdict(on: directory, at: position).rawValue }
                verdicts[ending, default: 0] += 1
            }
        }
        let lost = verdicts[.returned(CommitLog.Verdict.lost.rawValue)] ?? 0
        let intact = verdicts[.returned(CommitLog.Verdict.intact.rawValue)] ?? 0
        #expect(lost > 10, "\(verdicts)")
        #expect(100 - lost - intact > 10, "\(verdicts)")
    }

    @Test func `a disk that fails a write or a sync fails the commit and harms nothing before it`() throws {
        for (errno, seed) in [(ENOSPC, 1), (EIO, 2), (EDQUOT, 3)] as [(Int32, UInt64)] {
            for call in 0..<4 {
                let directory = TemporaryDirectory(in: .memory)
                let recording = PowerCut(directory: directory.path)
                defer { recording.stop() }
                let log = CommitLog(seed: seed)
                do {
                    let environment = try Environment(directory: directory.path, tables: ["one"], mapBytes: 1 << 30)
                    for _ in 0..<10 { try log.commit(to: environment, recording: recording) }
                    recording.fail(with: errno, after: call)
                    let error = #expect(throws: LMDBError.self) {
                        for _ in 0..<3 { try log.commit(to: environment, recording: recording) }
                    }
                    #expect(error?.kind == .io(errno: errno), "call \(call)")
                    recording.fail(with: nil)
                }
                #expect(log.verdict(on: directory.path, at: recording.position) == .intact)
            }
        }
    }
}
