internal import StrakeClient
internal import Synchronization

/// Asks one member for its status and its metrics.
final class MemberSource: Sendable {
    /// One of the member's addresses.
    private struct Target: Sendable {
        var endpoint: String
        var client: StrakeClient
        var metrics: MetricsSource
    }

    /// Who it is by the member list; nil of an endpoint.
    let member: Member?
    private let targets: [Target]
    /// Which address is asked. After a failure it is the next one.
    private let turn = Mutex(0)

    init(_ endpoints: [String], member: Member?, _ how: Connecting) throws(CommandFailure) {
        self.member = member
        var targets: [Target] = []
        for endpoint in endpoints {
            targets.append(
                Target(endpoint: endpoint, client: try how.client([endpoint]), metrics: try how.metrics(endpoint)))
        }
        self.targets = targets
    }

    /// - Parameter start: Times count from there.
    func sample(since start: ContinuousClock.Instant) async -> MemberSample {
        guard !targets.isEmpty else {
            var sample = MemberSample(endpoint: "")
            sample.id = member?.id ?? 0
            sample.problem = "it has not started yet"
            return sample
        }
        let target = targets[turn.withLock { $0 }]
        var sample = MemberSample(endpoint: target.endpoint)
        async let page = target.metrics.page()
        do throws(StrakeClientError) {
            let status = try await target.client.status()
            sample.id = status.header.memberID
            sample.status = MemberSample.Status(status)
        } catch {
            sample.id = member?.id ?? 0
            sample.problem = error.message
        }
        switch await page {
        case .success(let page):
            sample.metrics = MemberMetrics(page: page)
            sample.takenAt = start.duration(to: .now) / .seconds(1)
        case .failure(let failure): sample.problem = sample.problem ?? failure.message
        }
        if sample.problem != nil { turn.withLock { $0 = ($0 + 1) % targets.count } }
        return sample
    }
}

extension MemberSample.Status {
    fileprivate init(_ answer: Answer<MemberStatus>) {
        self.init()
        clusterID = answer.header.clusterID
        revision = answer.header.revision
        (version, leader, isLearner, errors) = (answer.version, answer.leader, answer.isLearner, answer.errors)
        (term, index, applied) = (answer.raftTerm, answer.raftIndex, answer.raftAppliedIndex)
        (dbSize, dbSizeInUse) = (answer.dbSize, answer.dbSizeInUse)
    }
}

/// How members are reached, by the flags.
struct Connecting: Sendable {
    let context: CommandContext
    /// For each question.
    let patience: Duration

    /// Each call is tried once: the next interval is the next try.
    func client(_ endpoints: [String]) throws(CommandFailure) -> StrakeClient {
        try context.lazyClient(to: endpoints) { options in
            options.maxUnaryTries = 1
            options.requestTimeout = patience
            options.dialTimeout = min(options.dialTimeout, patience)
        }
    }

    func metrics(_ endpoint: String) throws(CommandFailure) -> MetricsSource {
        let security = try context.security()
        do throws(StrakeClientError) {
            let address = try Address(endpoint)
            let isSecure = address.isSecure ?? (security != nil)
            let tls = isSecure ? (security ?? StrakeClient.Security()).tls(protocols: ["http/1.1"]) : nil
            return MetricsSource(address, tls, patience: patience)
        } catch {
            throw .arguments(error.message)
        }
    }
}
