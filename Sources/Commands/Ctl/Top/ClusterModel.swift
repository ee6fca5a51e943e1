/// Makes views of samples: rates and times are those between a member's last two samples.
package struct ClusterModel: Sendable {
    /// By who they are; only of members of the last sample.
    private var metrics: [String: (takenAt: Double, page: MemberMetrics)] = [:]
    private var revision: (takenAt: Double, revision: Int64)?
    private var takenAt: Double?

    package init() {}

    package mutating func take(_ sample: ClusterSample) -> ClusterView {
        var view = ClusterView()
        view.problems = sample.problems
        view.seconds = takenAt.map { sample.takenAt - $0 }
        var methods: [String: ClusterView.Method] = [:]
        var kept: [String: (takenAt: Double, page: MemberMetrics)] = [:]
        for member in sample.members {
            let key = member.id != 0 ? String(member.id, radix: 16) : member.endpoint
            let earlier = metrics[key]
            view.members.append(Self.view(of: member, earlier, &methods))
            // Of a member that was away for a while the next rates are those of all the time.
            kept[key] = member.metrics.map { (member.takenAt, $0) } ?? earlier
        }
        metrics = kept
        addCluster(sample, &view)
        view.methods = methods.values.filter { $0.requestsPerSecond > 0 }
            .sorted { ($1.requestsPerSecond, $0.name) < ($0.requestsPerSecond, $1.name) }
        if let prefixes = sample.prefixes { Self.add(prefixes, view.seconds, to: &view) }
        takenAt = sample.takenAt
        return view
    }

    private mutating func addCluster(_ sample: ClusterSample, _ view: inout ClusterView) {
        // Whoever has the highest term knows most.
        guard
            let newest = sample.members.compactMap(\.status).max(by: { ($0.term, $0.revision) < ($1.term, $1.revision) }
            )
        else { return }
        view.clusterID = newest.clusterID
        view.term = newest.term
        if newest.leader != 0 {
            view.leader = view.members.first { $0.id == newest.leader }?.title ?? String(newest.leader, radix: 16)
        }
        view.revision = sample.members.compactMap { $0.status?.revision }.max() ?? 0
        // A cluster restored from a backup may have a lower one.
        if let revision, view.revision >= revision.revision, sample.takenAt > revision.takenAt {
            view.revisionsPerSecond = Double(view.revision - revision.revision) / (sample.takenAt - revision.takenAt)
        }
        revision = (sample.takenAt, view.revision)
    }

    // MARK: - Members

    private static func view(
        of sample: MemberSample, _ earlier: (takenAt: Double, page: MemberMetrics)?,
        _ methods: inout [String: ClusterView.Method]
    ) -> ClusterView.Member {
        var member = ClusterView.Member(
            endpoint: sample.endpoint, name: sample.name, id: sample.id, role: role(sample), status: sample.status)
        member.problems = [sample.problem].compactMap { $0 } + (sample.status?.errors ?? [])
        guard let page = sample.metrics else { return member }
        member.gauges = page.gauges
        guard let earlier, sample.takenAt > earlier.takenAt else { return member }
        let seconds = sample.takenAt - earlier.takenAt
        let before = isRestarted(earlier.page, page) ? MemberMetrics() : earlier.page
        for (counter, value) in page.counters {
            member.rates[counter] = growth(before.counters[counter] ?? 0, value) / seconds
        }
        for (timing, counts) in page.timings {
            member.timings[timing] = counts.since(before.timings[timing] ?? BucketCounts())
        }
        (member.requestsPerSecond, member.failuresPerSecond) = (0, 0)
        for (name, method) in page.methods {
            let old = before.methods[name] ?? MemberMetrics.Method()
            let requests = growth(Double(old.requests), Double(method.requests)) / seconds
            let failures = growth(Double(old.failures), Double(method.failures)) / seconds
            member.requestsPerSecond? += requests
            member.failuresPerSecond? += failures
            let sum = methods[name]
            methods[name] = ClusterView.Method(
                name: name, requestsPerSecond: (sum?.requestsPerSecond ?? 0) + requests,
                failuresPerSecond: (sum?.failuresPerSecond ?? 0) + failures,
                times: (sum?.times ?? BucketCounts()) + method.times.since(old.times))
        }
        return member
    }

    /// All that a process has counted that was started since, it has counted since. The start alone does not tell: read from
    /// the age of a directory in /proc, as some servers do, it may change while the process lives.
    private static func isRestarted(_ before: MemberMetrics, _ now: MemberMetrics) -> Bool {
        guard before.gauges[.started] != now.gauges[.started] else { return false }
        guard let used = before.counters[.cpuSeconds], let uses = now.counters[.cpuSeconds] else { return true }
        return uses < used
    }

    /// Of a counter; one that has fallen began anew.
    private static func growth(_ before: Double, _ now: Double) -> Double { now < before ? now : now - before }

    private static func role(_ sample: MemberSample) -> ClusterView.Member.Role {
        guard let status = sample.status else { return .down }
        if status.isLearner { return .learner }
        if status.leader == 0 { return .leaderless }
        return status.leader == sample.id ? .leader : .follower
    }

    // MARK: - Prefixes

    private static func add(_ counts: PrefixTable.Counts, _ seconds: Double?, to view: inout ClusterView) {
        guard let seconds, seconds > 0 else { return }
        func prefix(_ bytes: [UInt8], _ count: PrefixTable.Count) -> ClusterView.Prefix {
            ClusterView.Prefix(
                bytes: bytes, putsPerSecond: Double(count.puts) / seconds,
                deletesPerSecond: Double(count.deletes) / seconds, bytesPerSecond: Double(count.bytes) / seconds)
        }
        view.prefixes = counts.prefixes.sorted { one, other in
            one.value.events != other.value.events
                ? one.value.events > other.value.events : one.key.lexicographicallyPrecedes(other.key)
        }.map { prefix($0.key, $0.value) }
        if counts.others.events > 0 { view.otherPrefixes = prefix([], counts.others) }
    }
}
