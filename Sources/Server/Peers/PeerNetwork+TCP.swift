internal import StrakeRaft
internal import StrakeSockets
public import StrakeStore
internal import StrakeTLS

extension PeerNetwork {
    /// The members' own protocol over TCP.
    ///
    /// - Parameters:
    ///   - listenURLs: Where this member listens for the others, each `http://host:port`, or `https` with TLS; nil: at
    ///     `StoreOptions.peerURLs`, where they reach it.
    ///   - joining: Peer URLs of a running cluster that has added this member with just its `peerURLs`. Asked while the
    ///     directory is new, and never again. Empty: the member is one of those that `StoreOptions.initialMembers` names.
    ///   - security: For `https` URLs, this member's and the others'. Without it this member listens at none.
    ///   - onNotice: Told of connections that come and go, in a sentence, from the network's thread.
    public static func tcp(
        listenURLs: [String]? = nil, joining: [String] = [], security: PeerSecurity? = nil,
        onNotice: @escaping @Sendable (String) -> Void = { _ in }
    ) -> PeerNetwork {
        PeerNetwork { options in
            let listenURLs = try parse(listenURLs ?? options.peerURLs)
            if security == nil, let url = listenURLs.first(where: { $0.isSecure }) {
                throw StoreStartError("\(url.text) asks for TLS: `.tcp` needs a `security` with a certificate")
            }
            let tls = try security?.tls(onNotice: onNotice) ?? PeerTLS()
            if !joining.isEmpty { try await join(try parse(joining), &options, tls.client) }
            let (cluster, member, _) = try RunningStore.identity(for: options)
            var peers = PeerOptions(
                cluster: cluster, member: member, listenURLs: listenURLs, advertisedURLs: options.peerURLs)
            peers.tls = tls
            peers.onNotice = { onNotice($0.description) }
            do {
                return try await PeerTransport.open(peers)
            } catch {
                throw StoreStartError("\(error)")
            }
        }
    }

    private static func parse(_ texts: [String]) throws(StoreStartError) -> [PeerURL] {
        do throws(PeerURL.Problem) {
            var urls: [PeerURL] = []
            for text in texts { urls.append(try PeerURL(text)) }
            return urls
        } catch {
            throw StoreStartError(error.description)
        }
    }

    /// A member that was added learns from the others who it is.
    private static func join(
        _ urls: [PeerURL], _ options: inout StoreOptions, _ tls: TLSClient
    ) async throws(StoreStartError) {
        guard try RunningStore.identity(for: options).isNew else { return }
        guard let cluster = await ClusterDiscovery.ask(urls, tls: tls) else {
            throw StoreStartError(
                "no member of the cluster answers at \(urls.map(\.text).joined(separator: ","))")
        }
        guard let joined = cluster.joined(at: options.peerURLs) else {
            throw StoreStartError(
                "no member of cluster \(String(cluster.cluster, radix: 16)) is reached at "
                    + "\(options.peerURLs.sorted().joined(separator: ",")): add this member first, with just these peer URLs"
            )
        }
        options.joining = joined
    }
}
