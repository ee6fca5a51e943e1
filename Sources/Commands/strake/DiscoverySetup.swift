internal import StrakeClusterFlags
internal import StrakeDiscovery
internal import StrakeFlags
internal import StrakeLogging
internal import StrakeRaft
internal import StrakeStore

/// How a member learns who the others are, before anything of it runs.
enum DiscoverySetup {
    /// Asks at the first start only.
    ///
    /// - Parameter joins: There is a cluster already.
    static func find(
        _ options: inout StoreOptions, _ settings: DiscoverySettings, joins: Bool, _ log: ServerLog
    ) async throws(SettingsError) {
        let own: UInt64?
        do throws(StoreStartError) {
            let identity = try RunningStore.identity(for: options)
            own = identity.isNew ? identity.member.rawValue : nil
        } catch {
            throw SettingsError(error.description)
        }
        switch (settings, own) {
        case (.service, nil):
            log.write(
                .warn, "discovery token is ignored since cluster already initialized; valid logs are found",
                ["data-dir": options.dataDirectory])
        case (.records, nil): break
        case (.service(let service), let own?):
            if joins { throw SettingsError("discovery URL should not be set when joining existing initial cluster") }
            try await join(&options, service, as: own, log)
        case (.records(let domain, let suffix), _?):
            try await ask(&options, domain, suffix, joins: joins, log)
        }
    }

    /// Registers, and waits for the others, however long that takes.
    private static func join(
        _ options: inout StoreOptions, _ service: DiscoveryOptions, as own: UInt64, _ log: ServerLog
    ) async throws(SettingsError) {
        log.write(.info, "Bootstrapping cluster using v3 discovery.")
        let endpoints = service.endpoints.joined(separator: ",")
        let entries = options.peerURLs.sorted().map { "\(options.name)=\($0)" }.joined(separator: ",")
        let found: String
        do throws(DiscoveryError) {
            found = try await DiscoveryService.join(service, as: own, entries: entries) { notice in
                note(notice, endpoints, log)
            }
        } catch {
            throw SettingsError(error.description)
        }
        options.initialMembers = try members(found, name: options.name, advertised: options.peerURLs)
        log.write(.info, "discovery joined cluster successfully", ["cluster": found, "discovery-endpoints": endpoints])
    }

    // MARK: - DNS

    private static func ask(
        _ options: inout StoreOptions, _ domain: String, _ suffix: String, joins: Bool, _ log: ServerLog
    ) async throws(SettingsError) {
        let advertised = options.peerURLs.compactMap { ListenURL($0) }.map { url in
            (url: url.text, scheme: url.scheme, host: url.host, port: UInt16(clamping: url.port))
        }
        let (members, failures) = await ServiceLookup().members(of: domain, suffix: suffix, advertised: advertised)
        for url in members.own + members.others {
            log.write(.info, "got bootstrap from DNS for etcd-server", ["node": url, "discovery-srv": domain])
        }
        let reasons = failures.map(\.description) + members.problems
        if !reasons.isEmpty {
            log.write(
                .warn, "failed to resolve during SRV discovery",
                ["error": reasons.joined(separator: "; "), "discovery-srv": domain])
        }
        guard !members.own.isEmpty else {
            let reason =
                reasons.isEmpty
                ? "none of \(domain) leads to \(options.peerURLs.joined(separator: ","))"
                : reasons.joined(separator: "; ")
            throw SettingsError(
                "error setting up initial cluster: "
                    + (members.others.isEmpty && !failures.isEmpty
                        ? reason : "cannot find local etcd member \"\(options.name)\" in SRV records: \(reason)"))
        }
        // Who joins is known to the cluster by the URLs that it was added with.
        let own = joins ? options.peerURLs : members.own
        // Records have no names, and all members have to found the cluster with the same list: each tells its own later.
        let all = ([own] + members.others.map { [$0] }).map { InitialMember(name: "", peerURLs: $0) }
        if !joins { try check(all, members, domain, advertised: options.peerURLs) }
        options.initialMembers = all
        options.peerURLs = own
    }

    private static func check(
        _ all: [InitialMember], _ members: ServiceMembers, _ domain: String, advertised: [String]
    ) throws(SettingsError) {
        let source = "the SRV records of \(domain)"
        // etcd leaves them out. Then a member that cannot look them up for a moment founds a cluster without them.
        guard members.unresolved.isEmpty else {
            throw SettingsError(
                "error setting up initial cluster: \(source) name hosts without an address: "
                    + members.unresolved.joined(separator: ","))
        }
        guard members.missing.isEmpty else {
            throw SettingsError(
                "--initial-advertise-peer-urls has \(members.missing.joined(separator: ",")) but missing from \(source)"
            )
        }
        guard members.own.count == advertised.count else {
            throw SettingsError(
                "several of \(source) lead to one of --initial-advertise-peer-urls=\(advertised.joined(separator: ",")): "
                    + members.own.joined(separator: ","))
        }
        do throws(ClusterFlagError) {
            try InitialCluster.check(all, name: "", advertised: members.own, from: source)
        } catch {
            throw SettingsError(error.description)
        }
    }

    // MARK: - Service

    private static func members(
        _ found: String, name: String, advertised: [String]
    ) throws(SettingsError) -> [InitialMember] {
        do throws(ClusterFlagError) {
            let members = try InitialCluster.members(found, from: "discovery: invalid peer URL")
            try InitialCluster.check(members, name: name, advertised: advertised, from: "discovery cluster \(found)")
            return members
        } catch {
            throw SettingsError("failed to join discovery cluster (\(error.description))")
        }
    }

    /// The words are etcd's.
    private static func note(_ notice: DiscoveryNotice, _ endpoints: String, _ log: ServerLog) {
        switch notice {
        case .registered(let key, let entries):
            log.write(
                .info, "register member itself successfully", ["memberKey": key, "memberInfo": entries])
        case .found(let key, let entries):
            log.write(.info, "found peer from discovery service", ["memberKey": key, "memberInfo": entries])
        case .ignored(let key, let problem): log.write(.warn, problem.rawValue, ["memberKey": key])
        case .waiting(let size, let found):
            log.write(
                .info, "waiting for peers from discovery service",
                values: ["clusterSize": .integer(Int64(size)), "found-peers": .integer(Int64(found))])
        case .complete(let size, let found):
            log.write(
                .info, "found all needed peers from discovery service",
                values: ["clusterSize": .integer(Int64(size)), "found-peers": .integer(Int64(found))])
        case .failed(let step, let error, let pause):
            log.write(.warn, step.rawValue, ["discovery-endpoints": endpoints, "error": error])
            log.write(.warn, "retry connecting to discovery service", ["backoff": "\(pause)s"])
        }
    }
}
