internal import StrakeEtcdWire
internal import StrakeWatching
internal import Synchronization

/// A number that only grows, added to from any thread.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    func add(_ amount: Int) {
        count.add(amount, ordering: .relaxed)
    }

    var value: Int { count.load(ordering: .relaxed) }
}

/// What the client API counts.
final class ServiceMetrics: Sendable {
    private static let codes = 17

    let bytesReceived = Counter()
    let bytesSent = Counter()
    let watchEvents = Counter()
    let leaseRenewals = Counter()
    let healthSuccesses = Counter()
    let healthFailures = Counter()
    let readIndexFailures = Counter()
    private let startedCalls = Method.allCases.map { _ in Counter() }
    private let finishedCalls = Method.allCases.map { _ in (0..<codes).map { _ in Counter() } }
    /// By loop. Written when a loop's watchers change, read by scrapes.
    private let watches = Mutex<[ObjectIdentifier: WatchMetrics]>([:])

    func started(_ method: Method) {
        startedCalls[method.rawValue].add(1)
    }

    func finished(_ method: Method?, _ code: StatusCode) {
        guard let method else { return }
        finishedCalls[method.rawValue][Int(code.rawValue)].add(1)
    }

    func record(_ metrics: WatchMetrics, of loop: ObjectIdentifier) {
        watches.withLock { $0[loop] = metrics }
    }

    func started(of method: Method) -> Int { startedCalls[method.rawValue].value }

    func finished(of method: Method, _ code: StatusCode) -> Int {
        finishedCalls[method.rawValue][Int(code.rawValue)].value
    }

    var watchTotals: (watchers: Int, streams: Int, slow: Int, pending: Int) {
        watches.withLock { watches in
            watches.values.reduce(into: (0, 0, 0, 0)) { total, metrics in
                total.0 += metrics.watchers
                total.1 += metrics.streams
                total.2 += metrics.slow
                total.3 += Int(metrics.pendingRevisions)
            }
        }
    }
}
