internal import StrakeEtcdWire
internal import StrakeStore
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

/// The times of what may fail.
struct OutcomeTimes: Sendable {
    let succeeded: Histogram
    let failed: Histogram

    init(firstBound: Double = 0.001, count: Int = 14) {
        succeeded = Histogram(firstBound: firstBound, count: count)
        failed = Histogram(firstBound: firstBound, count: count)
    }
}

/// What the client API counts.
final class ServiceMetrics: Sendable {
    private static let codes = 17

    /// One method's calls and messages.
    private struct MethodMetrics: Sendable {
        let started = Counter()
        let finished = (0..<ServiceMetrics.codes).map { _ in Counter() }
        let received = Counter()
        let sent = Counter()
        let times = OutcomeTimes()
    }

    let bytesReceived = Counter()
    let bytesSent = Counter()
    let watchEvents = Counter()
    let leaseRenewals = Counter()
    let healthSuccesses = Counter()
    let healthFailures = Counter()
    let readIndexFailures = Counter()
    /// Of those failures the ones that waited to the end.
    let readIndexTimeouts = Counter()
    /// Ranges that are calls of their own, from the store to encoded bytes.
    let rangeTimes = OutcomeTimes(firstBound: 0.000_1, count: 20)
    let hashTimes = Histogram(firstBound: 0.01, count: 15)
    let hashKVTimes = Histogram(firstBound: 0.01, count: 15)
    private let methods = Method.allCases.map { _ in MethodMetrics() }
    /// By loop. Written when a loop's watchers change, read by scrapes.
    private let watches = Mutex<[ObjectIdentifier: WatchMetrics]>([:])

    func started(_ method: Method) {
        methods[method.rawValue].started.add(1)
    }

    func finished(_ method: Method, _ code: StatusCode) {
        let metrics = methods[method.rawValue]
        metrics.finished[Int(code.rawValue)].add(1)
        // A unary call that fails counts as one message, as etcd counts it.
        if method.isUnary, code != .canceled { metrics.sent.add(1) }
    }

    func received(_ method: Method) {
        methods[method.rawValue].received.add(1)
    }

    /// Messages of a streaming call.
    func sent(_ method: Method, _ count: Int = 1) {
        methods[method.rawValue].sent.add(count)
    }

    func record(_ metrics: WatchMetrics, of loop: ObjectIdentifier) {
        watches.withLock { $0[loop] = metrics }
    }

    func started(of method: Method) -> Int { methods[method.rawValue].started.value }

    func finished(of method: Method, _ code: StatusCode) -> Int {
        methods[method.rawValue].finished[Int(code.rawValue)].value
    }

    func received(of method: Method) -> Int { methods[method.rawValue].received.value }

    func sent(of method: Method) -> Int { methods[method.rawValue].sent.value }

    func times(of method: Method) -> OutcomeTimes { methods[method.rawValue].times }

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
