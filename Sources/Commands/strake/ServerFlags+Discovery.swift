internal import StrakeFlags

// How members of a new cluster find each other, where none of them is told of all.
extension ServerFlags {
    static let discovery: [Flag] = discoveryByDNS + discoveryService + discoveryAccess

    private static func flag(
        _ name: String, _ kind: Flag.Kind, _ fallback: String, _ help: String, isSecret: Bool = false
    ) -> Flag {
        Flag(name: name, kind: kind, fallback: fallback, help: help, section: "Discovery", isSecret: isSecret)
    }

    private static let discoveryByDNS = [
        flag(
            "discovery-srv", .string, "",
            "The domain whose SRV records name the members: _etcd-server-ssl._tcp (https), _etcd-server._tcp (http). Asked at the first start only."
        ),
        flag(
            "discovery-srv-name", .string, "",
            "Ask for the records of _etcd-server-ssl-NAME._tcp and _etcd-server-NAME._tcp."),
    ]

    private static let discoveryService = [
        flag(
            "discovery-token", .string, "",
            "The new cluster's name at the discovery service, and its initial-cluster-token. How many members found it stands there under /_etcd/registry/TOKEN/_config/size."
        ),
        flag(
            "discovery-endpoints", .string, "",
            "The discovery service: client endpoints of a cluster that runs already, comma-separated. Asked at the first start only."
        ),
        flag("discovery-dial-timeout", .duration, "2s", "How long connecting to it may take."),
        flag(
            "discovery-request-timeout", .duration, "5s",
            "How long one request to it may take; after that it is made again, 2 s to 256 s later."),
        flag(
            "discovery-keepalive-time", .duration, "2s",
            "How long it may be silent before it is asked for a sign of life; below 10s, that, as in etcd; 0 never asks."
        ),
        flag("discovery-keepalive-timeout", .duration, "6s", "How long that sign of life may take."),
    ]

    private static let discoveryAccess = [
        flag(
            "discovery-insecure-transport", .bool, "true",
            "Connect without TLS to endpoints without a scheme, unless another of these flags asks for TLS."),
        flag("discovery-insecure-skip-tls-verify", .bool, "false", "Take any certificate of it. For tests only."),
        flag("discovery-cert", .string, "", "Certificate to show to it, PEM."),
        flag("discovery-key", .string, "", "Key of --discovery-cert, PEM."),
        flag("discovery-cacert", .string, "", "Authorities that its certificate comes from, PEM."),
        flag("discovery-user", .string, "", "Who asks, NAME or NAME:PASSWORD.", isSecret: true),
        flag("discovery-password", .string, "", "Password of --discovery-user.", isSecret: true),
    ]
}
