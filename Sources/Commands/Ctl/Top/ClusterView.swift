/// What is shown of a cluster: a sample, and what has changed since the one before.
package struct ClusterView: Sendable {
    package struct Member: Sendable {
        package enum Role: String, Sendable {
            case leader
            case follower
            case learner
            /// A voter that knows of no leader.
            case leaderless = "no leader"
            /// It has not answered.
            case down
        }

        package var endpoint: String
        package var name: String
        package var id: UInt64
        package var role: Role
        package var status: MemberSample.Status?
        package var gauges: [MemberMetrics.Gauge: Double] = [:]
        /// A second; empty as long as there is one sample only.
        package var rates: [MemberMetrics.Counter: Double] = [:]
        package var requestsPerSecond: Double?
        package var failuresPerSecond: Double?
        /// Of what was timed since the sample before.
        package var timings: [MemberMetrics.Timing: BucketCounts] = [:]
        package var problems: [String] = []

        /// As people call it.
        package var title: String {
            !name.isEmpty ? name : id != 0 ? String(id, radix: 16) : endpoint
        }
    }

    /// A gRPC method, of all members together.
    package struct Method: Sendable {
        package var name: String
        package var requestsPerSecond: Double
        package var failuresPerSecond: Double
        package var times: BucketCounts
    }

    package struct Prefix: Sendable {
        package var bytes: [UInt8]
        package var putsPerSecond: Double
        package var deletesPerSecond: Double
        package var bytesPerSecond: Double

        package var eventsPerSecond: Double { putsPerSecond + deletesPerSecond }
    }

    /// Since the sample before; nil for the first.
    package var seconds: Double?
    package var clusterID: UInt64 = 0
    package var leader: String?
    package var term: UInt64 = 0
    package var revision: Int64 = 0
    package var revisionsPerSecond: Double?
    package var members: [Member] = []
    /// The busiest first.
    package var methods: [Method] = []
    /// The busiest first; nil when no watch is on, and for the first sample.
    package var prefixes: [Prefix]?
    /// Events of prefixes that found the table full.
    package var otherPrefixes: Prefix?
    package var problems: [String] = []

    package init() {}

    package var requestsPerSecond: Double? { Self.sum(members.map(\.requestsPerSecond)) }
    package var failuresPerSecond: Double? { Self.sum(members.map(\.failuresPerSecond)) }

    package func sum(_ gauge: MemberMetrics.Gauge) -> Double? { Self.sum(members.map { $0.gauges[gauge] }) }
    package func sum(_ counter: MemberMetrics.Counter) -> Double? { Self.sum(members.map { $0.rates[counter] }) }
    /// Of what each member counts for the whole cluster: who is behind has less.
    package func most(_ gauge: MemberMetrics.Gauge) -> Double? { members.compactMap { $0.gauges[gauge] }.max() }
    package func most(_ counter: MemberMetrics.Counter) -> Double? { members.compactMap { $0.rates[counter] }.max() }

    private static func sum(_ values: [Double?]) -> Double? {
        let known = values.compactMap { $0 }
        return known.isEmpty ? nil : known.reduce(0, +)
    }
}
