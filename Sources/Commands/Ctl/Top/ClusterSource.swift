internal import StrakeClient

/// Takes samples of a cluster.
actor ClusterSource {
    /// Which members are asked.
    enum Scope: Sendable {
        /// Those at the endpoints that were given.
        case endpoints([String])
        /// All of the member list.
        case cluster([Member])
    }

    /// The member list is asked for with every so many samples: it changes seldom.
    private static let samplesPerList = 5

    private let connecting: Connecting
    /// For what any member can answer.
    private let client: StrakeClient
    private let watch: PrefixWatch?
    private let start = ContinuousClock.now
    private var scope: Scope
    private var sources: [MemberSource] = []
    private var names: [UInt64: String] = [:]
    private var samples = 0

    init(_ connecting: Connecting, _ client: StrakeClient, _ scope: Scope, _ watch: PrefixWatch?) throws(CommandFailure)
    {
        self.connecting = connecting
        self.client = client
        self.scope = scope
        self.watch = watch
        switch scope {
        case .endpoints(let endpoints):
            for endpoint in endpoints { sources.append(try MemberSource([endpoint], member: nil, connecting)) }
        case .cluster(let list):
            let members = Self.inOrder(list)
            self.scope = .cluster(members)
            for member in members { sources.append(try MemberSource(member.clientURLs, member: member, connecting)) }
            names = Self.names(members)
        }
    }

    /// By name, as people look for them.
    private static func inOrder(_ members: [Member]) -> [Member] {
        members.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    private static func names(_ members: [Member]) -> [UInt64: String] {
        Dictionary(members.map { ($0.id, $0.name) }) { first, _ in first }
    }

    /// All members at once; it takes as long as the slowest, and no longer than the patience.
    func sample() async -> ClusterSample {
        let isListDue = samples % Self.samplesPerList == 0 || names.isEmpty
        samples += 1
        let (sources, start) = (sources, start)
        async let list = isListDue ? list() : nil
        var members = await withTaskGroup(of: (Int, MemberSample).self) { group in
            for (place, source) in sources.enumerated() {
                group.addTask { (place, await source.sample(since: start)) }
            }
            var found: [(Int, MemberSample)] = []
            for await sample in group { found.append(sample) }
            return found.sorted { $0.0 < $1.0 }.map(\.1)
        }
        let problem = await list.flatMap { take($0) }
        for place in members.indices { members[place].name = names[members[place].id] ?? "" }
        let counted = watch?.take()
        var sample = ClusterSample(
            takenAt: start.duration(to: .now) / .seconds(1), members: members, prefixes: counted?.counts)
        sample.problems = [problem, counted?.problem].compactMap { $0 }
        return sample
    }

    /// Without a quorum too: it says no more than who is there.
    private func list() async -> Result<[Member], StrakeClientError> {
        do throws(StrakeClientError) {
            return .success(try await client.members(isLinearizable: false).body)
        } catch {
            return .failure(error)
        }
    }

    /// Connections to members that are as they were go on. Returns what is wrong.
    private func take(_ list: Result<[Member], StrakeClientError>) -> String? {
        let members: [Member]
        switch list {
        case .success(let found): members = Self.inOrder(found)
        case .failure(let error): return "member list: \(error.message)"
        }
        names = Self.names(members)
        guard case .cluster(let known) = scope, known != members else { return nil }
        do throws(CommandFailure) {
            var renewed: [MemberSource] = []
            for member in members {
                if let source = sources.first(where: { $0.member == member }) {
                    renewed.append(source)
                } else {
                    renewed.append(try MemberSource(member.clientURLs, member: member, connecting))
                }
            }
            (sources, scope) = (renewed, .cluster(members))
            return nil
        } catch {
            return "member list: \(error.message ?? "it has an address that cannot be used")"
        }
    }
}
