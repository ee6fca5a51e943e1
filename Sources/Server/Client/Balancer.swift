/// Which endpoint the next call goes to, and which are to be connected: a call each in turn over those that are, as
/// clientv3 has it. Times are in nanoseconds, from any start.
package struct Balancer: Sendable {
    package enum Phase: Hashable, Sendable {
        case idle
        case connecting
        case ready
        /// Connecting has failed; not again before this time.
        case waiting(until: UInt64)
    }

    package enum Pick: Hashable, Sendable {
        case use(Int)
        /// One is on the way.
        case wait
        /// All have failed; the next one may be tried at this time.
        case none(until: UInt64)
    }

    package static let pauseNanosecondsMin: UInt64 = 50_000_000
    package static let pauseNanosecondsMax: UInt64 = 3_000_000_000

    private struct Endpoint {
        var phase = Phase.idle
        /// Attempts in a row that have failed.
        var failures = 0
    }

    private var endpoints: [Endpoint]
    private var next = 0

    package init(count: Int) {
        precondition(count > 0, "a client needs an endpoint")
        endpoints = Array(repeating: Endpoint(), count: count)
    }

    package func phase(of index: Int) -> Phase { endpoints[index].phase }

    /// The endpoints that should be connected now; they count as connecting from here on.
    package mutating func takeDue(now: UInt64) -> [Int] {
        var due: [Int] = []
        for index in endpoints.indices {
            switch endpoints[index].phase {
            case .idle: due.append(index)
            case .waiting(let until): if until <= now { due.append(index) }
            case .connecting, .ready: break
            }
        }
        for index in due { endpoints[index].phase = .connecting }
        return due
    }

    package mutating func pick() -> Pick {
        for offset in endpoints.indices {
            let index = (next + offset) % endpoints.count
            guard endpoints[index].phase == .ready else { continue }
            next = (index + 1) % endpoints.count
            return .use(index)
        }
        var until = UInt64.max
        for endpoint in endpoints {
            switch endpoint.phase {
            case .connecting, .idle: return .wait
            case .waiting(let time): until = min(until, time)
            case .ready: preconditionFailure("a ready endpoint that was not picked")
            }
        }
        return .none(until: until)
    }

    package mutating func connected(_ index: Int) { endpoints[index] = Endpoint(phase: .ready) }

    /// It could not be connected: the pause before the next attempt doubles.
    package mutating func failed(_ index: Int, now: UInt64) {
        let doublings = min(endpoints[index].failures, 10)
        let pause = min(Self.pauseNanosecondsMin << UInt64(doublings), Self.pauseNanosecondsMax)
        endpoints[index].failures += 1
        endpoints[index].phase = .waiting(until: now + pause)
    }

    /// A connection that had been made is gone: it is tried again at once.
    package mutating func lost(_ index: Int) { endpoints[index].phase = .idle }
}
