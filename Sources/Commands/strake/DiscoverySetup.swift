internal import StrakeClusterFlags
internal import StrakeDiscovery
internal import StrakeLogging
internal import StrakeRaft
internal import StrakeStore

/// How a member learns who the others are, before anything of it runs.
enum DiscoverySetup {
    /// Asks the discovery service, at the first start. Waits for the others, however long that takes.
    static func join(
        _ options: inout StoreOptions, _ service: DiscoveryOptions, isExisting: Bool, _ log: ServerLog
    ) async throws(SettingsError) {
        let own: UInt64
        do throws(StoreStartError) {
            let identity = try RunningStore.identity(for: options)
            guard identity.isNew else {
                log.write(
                    .warn, "discovery token is ignored since cluster already initialized; valid logs are found",
                    ["data-dir": options.dataDirectory])
                return
            }
            own = identity.member.rawValue
        } catch {
            throw SettingsError(error.description)
        }
        guard !isExisting else {
            throw SettingsError("discovery URL should not be set when joining existing initial cluster")
        }
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
