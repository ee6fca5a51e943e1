internal import StrakeEtcdWire
internal import StrakeStore
internal import StrakeWatching
internal import Synchronization

/// A number that is added to from any thread.
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
    let bytesReceived = Counter()
    let bytesSent = Counter()
    let watchEvents = Counter()
    let watchSends = WatchSendTimes()
    let clientRequests = ClientRequests()
    /// Pages of metrics that were asked for, and those that are being made.
    let scrapes = Counter()
    let scrapesInFlight = Counter()
    let leaseRenewals = Counter()
    let healthSuccesses = Counter()
    let healthFailures = Counter()
    let readIndexFailures = Counter()
    /// Of those failures the ones that waited to the end.
    let readIndexTimeouts = Counter()
    /// Ranges that are calls of their own, from the store to encoded bytes.
    let rangeTimes = OutcomeTimes(firstBound: 0.000_1, count: 20)
    /// Defragment calls, and those that are being answered.
    let defragmentations = Histogram(firstBound: 0.1, count: 13)
    let defragmenting = Counter()
    let hashTimes = Histogram(firstBound: 0.01, count: 15)
    let hashKVTimes = Histogram(firstBound: 0.01, count: 15)
    private let calls = (0..<CallCount.total).map { _ in Counter() }
    private let callTimes = Method.allCases.map { _ in OutcomeTimes() }
    /// By method, of calls of whatever outcome, in the buckets that gRPC's own metrics have; only where they are asked for.
    private let handlingTimes: [Histogram]?
    /// By loop. Written when a loop's watchers change, read by scrapes.
    private let watches = Mutex<[ObjectIdentifier: WatchMetrics]>([:])

    private static let handlingBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// - Parameter isExtensive: Whether how long calls took is kept by method as gRPC's metrics have it.
    init(isExtensive: Bool) {
        handlingTimes = isExtensive ? Method.allCases.map { _ in Histogram(bounds: Self.handlingBounds) } : nil
    }

    func add(_ amount: Int, at place: Int) { calls[place].add(amount) }

    func record(_ metrics: WatchMetrics, of loop: ObjectIdentifier) {
        watches.withLock { $0[loop] = metrics }
    }

    func count(_ count: CallCount, of method: Method) -> Int { calls[count.place(of: method)].value }

    func times(of method: Method) -> OutcomeTimes { callTimes[method.rawValue] }

    /// Nil where they are not kept.
    func handlingTimes(of method: Method) -> Histogram? { handlingTimes?[method.rawValue] }

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
