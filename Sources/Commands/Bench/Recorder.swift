/// What the connections of one event loop have measured.
final class Recorder {
    /// Width of a step of the time line.
    static let stepNanoseconds: UInt64 = 100_000_000

    private(set) var latencies = LatencyHistogram()
    /// Operations finished in each step since the start.
    private(set) var timeline: [Int] = []
    private let started: UInt64

    init(started: UInt64) {
        self.started = started
    }

    func record(from begin: UInt64, to end: UInt64, count: Int = 1) {
        latencies.record(end &- begin)
        let step = Int((end &- started) / Self.stepNanoseconds)
        while timeline.count <= step { timeline.append(0) }
        timeline[step] += count
    }
}
