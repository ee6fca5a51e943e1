import Glibc
import StrakeMVCC
import StrakePowerCut
import StrakeSeededGenerator
import StrakeStore
import StrakeTemporaryDirectory
import Testing

/// The whole store, log and LMDB, on files whose unsynced writes are lost and torn at random.
@Suite(.serialized)
struct PowerCutTests {
    /// Rounds in all, over several recorded runs.
    private static var rounds: Int { getenv("STRAKE_POWER_CUTS").flatMap { Int(String(cString: $0)) } ?? 200 }
    private static let cutsPerRun = 20

    /// Every other cut anywhere, the rest in the middle of what is delicate, in turns.
    private func position(
        ofCut number: Int, in run: PowerCutRun, _ random: inout SeededGenerator
    ) -> Int {
        let kinds = PowerCutRun.Kind.allCases
        guard number % 2 == 1, let moments = run.moments[kinds[number / 2 % kinds.count]] else {
            return Int(random.next() % UInt64(run.recording.position + 1))
        }
        return Int.random(in: moments.randomElement(using: &random)!, using: &random)
    }

    @Test func `after any cut every acknowledged write is there and nothing else is`() throws {
        #expect(PowerCut.isInPlace)
        var total = CutSummary()
        var counts: [PowerCutRun.Kind: Int] = [:]
        var round = 0
        var seed: UInt64 = 0
        while round < Self.rounds {
            seed += 1
            var random = SeededGenerator(seed: seed)
            let directory = TemporaryDirectory(in: .memory)
            let run = try PowerCutRun(on: directory.path, &random)
            for _ in 0..<min(Self.cutsPerRun, Self.rounds - round) {
                let position = position(ofCut: round, in: run, &random)
                let cutSeed = random.next()
                let target = TemporaryDirectory(in: .memory)
                total += run.recording.cut(at: position, seed: cutSeed, into: target.path)
                let verdict = run.verdict(on: target.path, at: position)
                #expect(verdict == .intact, "seed \(seed), cut \(cutSeed) at \(position)")
                for kind in run.kinds(at: position) { counts[kind, default: 0] += 1 }
                round += 1
            }
        }
        let kinds = PowerCutRun.Kind.allCases.map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", ")
        print("\(round) power cuts: \(total); in the middle of: \(kinds)")
        #expect(total.lostWrites > round && total.tornWrites > round / 10, "\(total)")
        for kind in PowerCutRun.Kind.allCases { #expect(counts[kind] ?? 0 > 0, "\(kinds)") }
    }

    @Test func `a cut while a member is created leaves one that can be created again, or a whole one`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let recording = PowerCut(directory: directory.path)
        let end: Int
        do {
            let running = try RunningStore(opening: PowerCutRun.options(directory.path))
            end = recording.position
            running.close()
        }
        recording.stop()
        for position in 0...end {
            let target = TemporaryDirectory(in: .memory)
            recording.cut(at: position, seed: UInt64(position), into: target.path)
            let running = try RunningStore(opening: PowerCutRun.options(target.path))
            #expect(running.store.reader.revision == 1, "cut at \(position)")
            #expect(Client(running.store).put("a", "1").revision == 2, "cut at \(position)")
            running.close()
        }
        #expect(end > 20)
    }

    // MARK: The rig can tell

    /// Which of a file's syncs a disk only pretends to do.
    struct Lie: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var isTold: @Sendable (_ file: String, _ number: Int) -> Bool
        /// The first cut that must have noticed.
        var cutsMax: Int
    }

    private static let lies = [
        Lie(testDescription: "no sync of the log is done", isTold: { file, _ in file.hasPrefix("log/") }, cutsMax: 10),
        Lie(
            testDescription: "every other sync of the log is not done",
            isTold: { file, number in file.hasPrefix("log/") && number % 2 == 1 }, cutsMax: 60),
        Lie(
            testDescription: "no sync of the store is done", isTold: { file, _ in file.hasPrefix("store/") },
            cutsMax: 30),
    ]

    /// In a process of its own: a damaged LMDB file can end it.
    private func ending(
        _ run: PowerCutRun, at position: Int, seed: UInt64, isLie: (String, Int) -> Bool
    ) -> ChildProcess.Ending {
        let target = TemporaryDirectory(in: .memory)
        run.recording.cut(at: position, seed: seed, into: target.path, isLie: isLie)
        return ChildProcess.run { run.verdict(on: target.path, at: position).rawValue }
    }

    @Test(arguments: lies)
    func `a disk that lies about its syncs is found out`(lie: Lie) throws {
        var random = SeededGenerator(seed: 1)
        let directory = TemporaryDirectory(in: .memory)
        let run = try PowerCutRun(on: directory.path, &random)
        var endings: [String: Int] = [:]
        var firstFound: Int?
        for number in 0..<lie.cutsMax {
            let position = position(ofCut: number, in: run, &random)
            let seed = random.next()
            // The same cut of an honest disk harms nothing: it is the lie that is found, not the child process.
            let honest = ending(run, at: position, seed: seed) { _, _ in false }
            #expect(honest == .returned(PowerCutRun.Verdict.intact.rawValue), "cut \(seed) at \(position)")
            let ending = ending(run, at: position, seed: seed, isLie: lie.isTold)
            switch ending {
            case .returned(let code): endings["\(PowerCutRun.Verdict(rawValue: code)!)", default: 0] += 1
            case .signal(let signal): endings["signal \(signal)", default: 0] += 1
            }
            if ending != .returned(PowerCutRun.Verdict.intact.rawValue) { firstFound = firstFound ?? number + 1 }
        }
        let summary = endings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print("\(lie.testDescription): found at cut \(firstFound ?? 0) of \(lie.cutsMax): \(summary)")
        #expect(firstFound != nil, "\(summary)")
    }
}
