import Glibc
import StrakeMVCC
import StrakeModel
import StrakePowerCut
import StrakeStateMachine
import StrakeStore
import Testing

/// The whole store, log and LMDB, on files whose unsynced writes are lost and torn at random.
@Suite(.serialized)
struct PowerCutTests {
    /// Rounds in all, over several recorded runs.
    private static var rounds: Int { getenv("STRAKE_POWER_CUTS").flatMap { Int(String(cString: $0)) } ?? 200 }
    private static let cutsPerRun = 20

    /// What was proposed, in order: each command makes one revision, so a store at revision r holds the first r - 1.
    private struct Run {
        var commands: [Command] = []
        /// Where the recording stood when the command's answer came.
        var acknowledged: [Int] = []
    }

    private static func options(_ directory: String) -> StoreOptions {
        var options = StoreOptions(dataDirectory: directory)
        options.logSegmentBytes = 256 << 10
        options.retainedEntries = 50
        options.seed = 7
        return options
    }

    @Test func `after any cut every acknowledged write is there and nothing else is`() throws {
        #expect(PowerCut.isInPlace)
        var rounds = 0
        var total = CutSummary()
        for seed in UInt64(1)... {
            var random = SeededGenerator(seed: seed)
            let directory = TemporaryDirectory(in: .memory)
            let recording = PowerCut(directory: directory.path)
            let run = try record(on: directory.path, recording, &random)
            recording.stop()
            for _ in 0..<Self.cutsPerRun {
                let position = Int(random.next() % UInt64(recording.position + 1))
                let cutSeed = random.next()
                let target = TemporaryDirectory(in: .memory)
                total += recording.cut(at: position, seed: cutSeed, into: target.path)
                try judge(run, at: position, in: target.path, "seed \(seed), cut \(cutSeed) at \(position)")
                rounds += 1
                if rounds == Self.rounds {
                    print("\(rounds) power cuts: \(total)")
                    #expect(total.lostWrites > rounds && total.tornWrites > rounds / 10, "\(total)")
                    return
                }
            }
        }
    }

    /// Puts, deletes of many keys, compactions and checkpoints in a random order.
    private func record(
        on directory: String, _ recording: PowerCut, _ random: inout SeededGenerator
    ) throws -> Run {
        let running = try RunningStore(opening: Self.options(directory))
        defer { running.close() }
        let client = Client(running.store)
        var run = Run()
        for _ in 0..<60 {
            var batch: [Command] = []
            for _ in 0..<Int(random.next() % 40) + 1 {
                let key = Array("key\(random.next() % 300)".utf8)
                let value = [UInt8](
                    repeating: UInt8(truncatingIfNeeded: random.next()), count: Int(random.next() % 3_000))
                batch.append(.put(PutRequest(key: key, value: value)))
            }
            // A delete of something that is there, so that it makes a revision.
            if case .put(let put) = batch[0], random.next() % 4 == 0 {
                batch.append(.deleteRange(DeleteRangeRequest(range: KeyRange(lower: put.key, upper: .unbounded))))
            }
            let results = client.run(batch)
            #expect(results.allSatisfy { $0.error == nil })
            run.commands += batch
            run.acknowledged += batch.map { _ in recording.position }
            switch random.next() % 6 {
            case 0: running.store.requestCheckpoint()
            case 1:
                let revision = running.store.reader.revision - Int64(random.next() % 20)
                _ = client.run(.compact(revision: revision, physical: random.next() % 2 == 0))
            default: break
            }
        }
        return run
    }

    private func judge(_ run: Run, at position: Int, in directory: String, _ label: Comment) throws {
        let running = try RunningStore(opening: Self.options(directory))
        defer { running.close() }
        let store = running.store
        let held = Int(store.reader.revision) - 1
        let acknowledged = run.acknowledged.prefix { $0 <= position }.count
        #expect(held >= acknowledged, label)
        #expect(held <= run.commands.count, label)
        var model: [[UInt8]: (value: [UInt8], revision: Int64)] = [:]
        for (index, command) in run.commands.prefix(held).enumerated() {
            switch command {
            case .put(let put): model[put.key] = (put.value, Int64(index) + 2)
            case .deleteRange(let delete): model = model.filter { !delete.range.contains($0.key) }
            default: Issue.record("unexpected command")
            }
        }
        let response = try store.reader.withView { view in try view.range(RangeRequest(range: .all)) }
        #expect(response.keyValues.count == model.count, label)
        for keyValue in response.keyValues {
            #expect(model[keyValue.key]?.value == keyValue.value, label)
            #expect(model[keyValue.key]?.revision == keyValue.modRevision, label)
        }
        // And it goes on.
        let next = Client(store).put("after", "the cut")
        #expect(next.revision == Int64(held) + 2, label)
    }
}
