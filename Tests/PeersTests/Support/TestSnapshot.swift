internal import StrakeRaft
internal import StrakeStore
internal import Synchronization

struct TestFailure: Error {}

/// How many bytes of a snapshot have left the source, and reached the sink.
final class TestProgress: Sendable {
    private let counts = Mutex((read: 0, written: 0, mostUnderWay: 0))

    func read(_ bytes: Int) {
        counts.withLock { counts in
            counts.read += bytes
            counts.mostUnderWay = max(counts.mostUnderWay, counts.read - counts.written)
        }
    }

    func wrote(_ bytes: Int) { counts.withLock { $0.written += bytes } }

    var bytesRead: Int { counts.withLock { $0.read } }
    /// The most that was read and not yet written.
    var mostUnderWay: Int { counts.withLock { $0.mostUnderWay } }
}

/// Bytes whose value follows from their place.
final class TestSource: SnapshotSource {
    let cancels = Events<Bool>()
    private let size: Int
    private let failsAt: Int
    private let progress: TestProgress
    private let offset = Atomic<Int>(0)
    let name: UInt64 = 77
    /// As if clients wrote between any two pieces.
    private let isBesideWrites: Bool
    private let writes = Atomic<UInt64>(0)
    /// Where streams of it began.
    let resumptions = Events<UInt64>()

    init(size: Int, failsAt: Int = .max, isBesideWrites: Bool = false, progress: TestProgress = TestProgress()) {
        self.size = size
        self.isBesideWrites = isBesideWrites
        self.failsAt = failsAt
        self.progress = progress
    }

    var writesOfClients: UInt64 { isBesideWrites ? writes.add(1, ordering: .relaxed).newValue : 0 }

    static func byte(at offset: Int) -> UInt8 { UInt8(truncatingIfNeeded: offset &* 31 &+ offset >> 8) }

    func resume(at offset: UInt64) throws {
        resumptions.add(offset)
        self.offset.store(Int(offset), ordering: .relaxed)
    }

    func next(bytesMax: Int) throws -> [UInt8]? {
        let start = offset.load(ordering: .relaxed)
        if start >= failsAt { throw TestFailure() }
        let count = min(bytesMax, size - start)
        if count == 0 { return nil }
        offset.store(start + count, ordering: .relaxed)
        progress.read(count)
        return [UInt8](unsafeUninitializedCapacity: count) { memory, initialized in
            for place in 0..<count { memory[place] = Self.byte(at: start + place) }
            initialized = count
        }
    }

    func cancel() { cancels.add(true) }
}

/// Checks the bytes of a `TestSource`.
final class TestSink: SnapshotSink {
    let finishes = Events<Int>()
    let cancels = Events<Bool>()
    private let failsAt: Int
    private let failsAtFinish: Bool
    private let progress: TestProgress
    private let gate: Gate?
    private let state: Mutex<(offset: Int, isRight: Bool)>
    let offset: UInt64

    /// - Parameter offset: What it says that it has.
    init(
        offset: Int = 0, failsAt: Int = .max, failsAtFinish: Bool = false, progress: TestProgress = TestProgress(),
        gate: Gate? = nil
    ) {
        self.offset = UInt64(offset)
        state = Mutex((offset: offset, isRight: true))
        self.failsAt = failsAt
        self.failsAtFinish = failsAtFinish
        self.progress = progress
        self.gate = gate
    }

    var isRight: Bool { state.withLock { $0.isRight } }
    var bytes: Int { state.withLock { $0.offset } }

    func write(_ piece: [UInt8]) throws {
        gate?.pass()
        progress.wrote(piece.count)
        try state.withLock { state in
            if state.offset >= failsAt { throw TestFailure() }
            let start = state.offset
            if !piece.indices.allSatisfy({ piece[$0] == TestSource.byte(at: start + $0) }) { state.isRight = false }
            state.offset += piece.count
        }
    }

    func finish() throws {
        if failsAtFinish { throw TestFailure() }
        finishes.add(bytes)
    }

    func cancel() { cancels.add(true) }
}
