internal import StrakeClusterFlags
internal import StrakeEtcdService
internal import StrakeFlags
internal import StrakeLogging
internal import StrakePeers
internal import StrakeStore
internal import StrakeTLS

/// Flags that fit together, turned into what the pieces take.
struct ServerSettings {
    var store: StoreOptions
    var service: ServiceOptions
    var addresses: [ClientAddress]
    /// Where metrics and health are served, and nothing else.
    var metricsAddresses: [ClientAddress]
    /// All that clients connect to.
    var clientAddresses: [ClientAddress] { addresses + metricsAddresses }
    var tls: TLSSettings
    var peerURLs: [PeerURL]
    var log: LogSettings
    var locksMemory: Bool
    /// What the flags ask for and do not get, with the reason: a warning each.
    var warnings: [String] = []
    /// The member was added to a running cluster, and has to learn from that who it is.
    var joins: Bool
    /// Where it learns who the others are; nil when the flags say that.
    var discovery: DiscoverySettings?

    /// - Parameter calledAs: The program's name, which a data directory without a name of its own is named after.
    init(_ flags: FlagSet, calledAs: String) throws(SettingsError) {
        // First, since where lines go decides where the reasons for what follows are told.
        log = try LogSettings(flags)
        let name = flags.string("name")
        guard !name.isEmpty else {
            throw SettingsError(
                "couldn't find local name \"\" in the initial cluster configuration: --name must not be empty", .setup)
        }
        discovery = try DiscoverySettings.read(flags)
        let directory = flags.isSet("data-dir") ? flags.string("data-dir") : ""
        var store = StoreOptions(
            dataDirectory: directory.isEmpty ? "\(name).\(calledAs == "etcd" ? "etcd" : "strake")" : directory)
        store.name = name
        store.clientURLs = flags.list("advertise-client-urls")
        store.peerURLs = flags.list("initial-advertise-peer-urls")
        store.clusterToken = discovery?.token ?? flags.string("initial-cluster-token")
        store.initialMembers = try Self.initialMembers(flags, name: name)
        joins = flags.string("initial-cluster-state") == "existing"
        store.forceNewCluster = flags.bool("force-new-cluster")
        store.strictReconfiguration = flags.bool("strict-reconfig-check")
        store.promotesLearners = flags.bool("auto-promote-learners")
        store.learnersMax = Int(flags.integer("max-learners"))
        let (heartbeat, election) = try Self.timing(flags)
        store.heartbeatMilliseconds = heartbeat
        store.electionMilliseconds = election
        store.preVote = flags.bool("pre-vote")
        let quota = flags.integer("quota-backend-bytes")
        store.quotaBytes = quota == 0 ? StoreOptions.quotaBytesDefault : quota < 0 ? nil : quota
        try Self.addOperation(flags, to: &store)
        store.tokenSeconds = try Self.within(1...86_400 * 365, "auth-token-ttl", flags)
        self.store = store

        var service = ServiceOptions()
        service.requestBytesMax = Int(flags.integer("max-request-bytes"))
        if service.requestBytesMax > Self.requestBytesMax {
            service.requestBytesMax = Self.requestBytesMax
            warnings.append(
                "--max-request-bytes: taken as \(Self.requestBytesMax), since a request goes to another member in one message"
            )
        }
        service.txnOperationsMax = Int(flags.integer("max-txn-ops"))
        // Zero is no limit, as in etcd.
        let streams = UInt32(clamping: flags.integer("max-concurrent-streams"))
        service.concurrentStreamsMax = streams == 0 ? .max : streams
        service.progressNotifyMilliseconds = flags.milliseconds("watch-progress-notify-interval")
        guard service.progressNotifyMilliseconds > 0 else {
            throw SettingsError("--watch-progress-notify-interval must be above 0")
        }
        service.servesGateway = flags.bool("enable-grpc-gateway")
        service.corsOrigins = Set(flags.list("cors"))
        service.hostWhitelist = Set(flags.list("host-whitelist"))
        // As in etcd an authority alone, without this flag, has certificates verified and names no users.
        service.certificatesNameUsers = flags.bool("client-cert-auth")
        warnings += try Self.addAuth(flags, to: &service)
        service.version = Version.etcd
        service.clusterVersion = Version.cluster
        Self.addOperation(flags, to: &service)
        self.service = service
        tls = try TLSSettings(flags)
        let hasTLS = tls.client.identity != nil || tls.makesClientCertificate
        addresses = try ClientAddresses.read(["listen-client-urls", "listen-client-http-urls"], flags, hasTLS: hasTLS)
        metricsAddresses = try ClientAddresses.read(["listen-metrics-urls"], flags, hasTLS: hasTLS)
        peerURLs = try Self.peerURLs("listen-peer-urls", flags)
        locksMemory = flags.bool("memory-mlock")
        warnings += try Self.warnings(flags) + DiscoverySettings.warnings(flags)
        if log.rotation?.asksForCompression == true {
            warnings.append("--log-rotation-config-json: compress changes nothing: old files stay as they were written")
        }
    }

    /// What fits into the longest frame between members, with room for what else the message says.
    private static let requestBytesMax = PeerOptions.frameBytesMaxDefault - (1 << 20)

    /// Returns what to warn of.
    private static func addAuth(_ flags: FlagSet, to service: inout ServiceOptions) throws(SettingsError) -> [String] {
        do throws(SettingsError) {
            service.jwt = try TokenSetting.jwt(flags.string("auth-token"))
        } catch {
            throw SettingsError(error.description, .setup)
        }
        let costs = ServiceOptions.bcryptCosts
        guard let cost = Int(exactly: flags.integer("bcrypt-cost")), costs.contains(cost) else {
            return [
                "--bcrypt-cost: taken as \(service.bcryptCost): it is from \(costs.lowerBound) to \(costs.upperBound)"
            ]
        }
        service.bcryptCost = cost
        return []
    }

    private static func within(
        _ range: ClosedRange<Int>, _ flag: String, _ flags: FlagSet
    ) throws(SettingsError) -> Int {
        let value = flags.integer(flag)
        guard value >= Int64(range.lowerBound), value <= Int64(range.upperBound) else {
            throw SettingsError("--\(flag) must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
        return Int(value)
    }

    private static func timing(_ flags: FlagSet) throws(SettingsError) -> (heartbeat: Int, election: Int) {
        let heartbeat = flags.integer("heartbeat-interval")
        let election = flags.integer("election-timeout")
        if heartbeat == 0 { throw SettingsError("--heartbeat-interval must be >0 (set to 0ms)") }
        if election == 0 { throw SettingsError("--election-timeout must be >0 (set to 0ms)") }
        if election < 5 * heartbeat {
            throw SettingsError(
                "--election-timeout[\(election)ms] should be at least as 5 times as --heartbeat-interval[\(heartbeat)ms]"
            )
        }
        if election > 50_000 {
            throw SettingsError("--election-timeout[\(election)ms] is too long, and should be set less than 50000ms")
        }
        return (Int(heartbeat), Int(election))
    }

    /// Without the flag the cluster is this member alone, whatever its name.
    private static func initialMembers(_ flags: FlagSet, name: String) throws(SettingsError) -> [InitialMember] {
        let advertised = flags.list("initial-advertise-peer-urls")
        guard flags.isSet("initial-cluster") else { return [InitialMember(name: name, peerURLs: advertised)] }
        do throws(ClusterFlagError) {
            let members = try InitialCluster.members(flags.string("initial-cluster"))
            try InitialCluster.check(members, name: name, advertised: advertised)
            return members
        } catch {
            throw SettingsError(error.description, .setup)
        }
    }

    private static func peerURLs(_ flag: String, _ flags: FlagSet) throws(SettingsError) -> [PeerURL] {
        var parsed: [PeerURL] = []
        for text in flags.list(flag) {
            do throws(PeerURL.Problem) {
                parsed.append(try PeerURL(text))
            } catch {
                throw SettingsError("--\(flag): \(error.description)")
            }
            guard ListenURL(text)?.isAddress ?? false else {
                throw SettingsError("expected IP in URL for binding (\(text)): --\(flag) takes addresses, not names")
            }
        }
        return parsed
    }
}
