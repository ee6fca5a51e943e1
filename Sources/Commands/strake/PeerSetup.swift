internal import StrakeEtcdService
internal import StrakeLogging
internal import StrakePeers
internal import StrakeRaft
internal import StrakeStore
internal import StrakeTLS
internal import Synchronization

/// How a member gets to the others.
enum PeerSetup {
    /// A member that was added to a running cluster learns from the others who it is. One that has begun knows it.
    static func join(_ options: inout StoreOptions, _ tls: TLSClient) async throws(SettingsError) {
        do throws(StoreStartError) {
            guard try RunningStore.identity(for: options).isNew else { return }
        } catch {
            throw SettingsError(error.description)
        }
        let own = Set(options.peerURLs)
        let others = options.initialMembers.flatMap(\.peerURLs).filter { !own.contains($0) }
        guard let cluster = await ClusterDiscovery.ask(others.compactMap { try? PeerURL($0) }, tls: tls) else {
            throw SettingsError(
                "cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs")
        }
        guard let joined = cluster.joined(at: options.peerURLs) else {
            throw SettingsError(
                "no member of cluster \(String(cluster.cluster, radix: 16)) is reached at "
                    + "\(options.peerURLs.sorted().joined(separator: ",")): add this member first, with just these peer URLs"
            )
        }
        options.joining = joined
    }

    /// For metrics.
    static func figures(of transport: PeerTransport) -> [PeerFigures] {
        transport.counters.map { member, counters in
            PeerFigures(
                member: member.rawValue, bytesSent: counters.bytesSent.load(ordering: .relaxed),
                bytesReceived: counters.bytesReceived.load(ordering: .relaxed),
                sendFailures: counters.sendFailures.load(ordering: .relaxed),
                isConnected: counters.isConnected.load(ordering: .relaxed),
                disconnections: counters.disconnections.load(ordering: .relaxed), roundTrips: counters.roundTrips,
                snapshotsSent: counters.snapshotsSent, snapshotsReceived: counters.snapshotsReceived)
        }
    }

    /// Opens the peer ports.
    static func open(
        _ options: StoreOptions, listenURLs: [PeerURL], reusesPort: Bool, _ tls: PeerTLS, _ log: ServerLog
    ) async throws(SettingsError) -> PeerTransport {
        do {
            let (cluster, member, _) = try RunningStore.identity(for: options)
            var peers = PeerOptions(
                cluster: cluster, member: member, listenURLs: listenURLs, advertisedURLs: options.peerURLs)
            peers.reusesPort = reusesPort
            peers.tls = tls
            peers.versions = PeerVersions(server: Version.etcd, cluster: Version.cluster)
            peers.onNotice = { notice in
                if case .snapshotSent(let member, let bytes) = notice {
                    // Scripts wait for these words of etcd's.
                    log.write(
                        .info, "sent database snapshot",
                        values: ["remote-peer-id": .string("\(member)"), "bytes": .integer(Int64(bytes))])
                } else {
                    log.write(notice.level, notice.description)
                }
            }
            return try await PeerTransport.open(peers)
        } catch {
            throw SettingsError("\(error)")
        }
    }
}

extension PeerNotice {
    /// How loud it is told.
    fileprivate var level: ServerLog.Level {
        switch self {
        case .connected, .snapshotSent, .snapshotReceived: .info
        case .disconnected, .unreachable, .refusedBy, .refused, .stranger, .snapshotFailed: .warn
        case .badURL, .oversized: .error
        }
    }
}
