internal import StrakeEtcdWire
internal import StrakeStore

/// What the calls of one turn of an event loop count, added to the shared counters when it is over: they are added to
/// once a turn, not once a call, and so loops hardly ever contend for them.
struct CallTally {
    private var counts = [Int](repeating: 0, count: CallCount.total)
    /// Places of `counts` that are not zero.
    private var touched: [Int] = []
    /// Calls that began, by what their clients are.
    private var clients = ClientTally()
    /// Calls that ended, those alike counted together.
    private var ended: [EndedCalls] = []

    private struct EndedCalls {
        var method: Method
        var succeeded: Bool
        var began: UInt64
        var count: UInt64
    }

    var isEmpty: Bool { touched.isEmpty }

    mutating func add(_ count: CallCount, of method: Method, _ amount: Int = 1) {
        let place = count.place(of: method)
        if counts[place] == 0 { touched.append(place) }
        counts[place] += amount
    }

    /// - Parameter version: Of the client's API, as it says; nil if it does not.
    mutating func started(_ method: Method, version: UnsafeRawBufferPointer?) {
        add(.started, of: method)
        clients.add(version, isUnary: method.isUnary)
    }

    /// - Parameter began: When the call came, on the monotonic clock, in nanoseconds.
    mutating func ended(_ method: Method, _ code: StatusCode, began: UInt64) {
        add(.finished(code), of: method)
        // A unary call that fails counts as one message, as etcd counts it.
        if method.isUnary, code != .canceled { add(.sent, of: method) }
        let succeeded = code == .ok
        if let last = ended.last, last.method == method, last.succeeded == succeeded, last.began == began {
            ended[ended.count - 1].count += 1
        } else {
            ended.append(EndedCalls(method: method, succeeded: succeeded, began: began, count: 1))
        }
    }

    /// Adds everything to the metrics and is empty again.
    ///
    /// - Parameters:
    ///   - now: The one look at the clock for all calls of the turn.
    ///   - slow: Nanoseconds from which a unary call is handed to `report`.
    mutating func flush(
        into metrics: ServiceMetrics, now: UInt64, slow: UInt64, report: (SlowRequest) -> Void
    ) {
        for place in touched {
            metrics.add(counts[place], at: place)
            counts[place] = 0
        }
        touched.removeAll(keepingCapacity: true)
        clients.flush(into: metrics.clientRequests)
        for calls in ended {
            let times = metrics.times(of: calls.method)
            (calls.succeeded ? times.succeeded : times.failed).record(now - calls.began, times: calls.count)
            metrics.handlingTimes(of: calls.method)?.record(now - calls.began, times: calls.count)
            if now - calls.began > slow, calls.method.isUnary {
                report(
                    SlowRequest(
                        method: "\(calls.method.service)/\(calls.method.name)", nanoseconds: now - calls.began,
                        count: calls.count))
            }
        }
        ended.removeAll(keepingCapacity: true)
    }
}

/// What is counted of each method.
enum CallCount {
    case started
    /// Messages received.
    case received
    /// Messages sent.
    case sent
    case finished(StatusCode)

    private static let codes = 17
    private static let kinds = 3 + codes
    static let total = Method.allCases.count * kinds

    /// Where the count is among those of all methods.
    func place(of method: Method) -> Int {
        let kind =
            switch self {
            case .started: 0
            case .received: 1
            case .sent: 2
            case .finished(let code): 3 + Int(code.rawValue)
            }
        return method.rawValue * Self.kinds + kind
    }
}
