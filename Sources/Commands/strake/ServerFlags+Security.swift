internal import StrakeFlags

extension ServerFlags {
    static let security = [
        Flag(
            name: "cert-file", kind: .string, fallback: "",
            help:
                "Certificate for https:// and unixs:// addresses: a PEM file, with those of the authorities between it and a trusted one.",
            section: "Security"),
        Flag(
            name: "key-file", kind: .string, fallback: "",
            help: "Its key, PEM, without a passphrase.",
            section: "Security"),
        Flag(
            name: "client-cert-file", kind: .string, fallback: "",
            help:
                "Taken as etcd takes it, and not used: a member here is no client of its own API. Goes with --client-key-file.",
            section: "Security"),
        Flag(
            name: "client-key-file", kind: .string, fallback: "",
            help: "Key of --client-cert-file.",
            section: "Security"),
        Flag(
            name: "client-cert-auth", kind: .bool, fallback: "false",
            help: "Clients must show a certificate of a trusted authority. Implied by --trusted-ca-file.",
            section: "Security"),
        Flag(
            name: "client-crl-file", kind: .string, fallback: "",
            help: "Revoked certificates of clients: a list in DER or PEM.",
            section: "Security"),
        Flag(
            name: "client-cert-allowed-hostname", kind: .string, fallback: "",
            help: "Comma-separated host names or addresses; a client's certificate must be for one of them.",
            section: "Security"),
        Flag(
            name: "trusted-ca-file", kind: .string, fallback: "",
            help: "Authorities that clients' certificates come from, PEM; without it, those of the system.",
            section: "Security"),
        Flag(
            name: "auto-tls", kind: .bool, fallback: "false",
            help: "Make a certificate in <data-dir>/fixtures/client, if none is given, that vouches for itself.",
            section: "Security"),
        Flag(
            name: "peer-cert-file", kind: .string, fallback: "",
            help: "Certificate for https:// peer addresses, and to show to other members; see --cert-file.",
            section: "Security"),
        Flag(
            name: "peer-key-file", kind: .string, fallback: "",
            help: "Its key, PEM, without a passphrase.",
            section: "Security"),
        Flag(
            name: "peer-client-cert-file", kind: .string, fallback: "",
            help: "Certificate to show to other members; without it, that of --peer-cert-file.",
            section: "Security"),
        Flag(
            name: "peer-client-key-file", kind: .string, fallback: "",
            help: "Key of --peer-client-cert-file.",
            section: "Security"),
        Flag(
            name: "peer-client-cert-auth", kind: .bool, fallback: "false",
            help: "Other members must show a certificate of a trusted authority. Implied by --peer-trusted-ca-file.",
            section: "Security"),
        Flag(
            name: "peer-trusted-ca-file", kind: .string, fallback: "",
            help: "Authorities that members' certificates come from, PEM; without it, those of the system.",
            section: "Security"),
        Flag(
            name: "peer-cert-allowed-cn", kind: .string, fallback: "",
            help: "Comma-separated common names; another member's certificate must have one of them.",
            section: "Security"),
        Flag(
            name: "peer-cert-allowed-hostname", kind: .string, fallback: "",
            help: "Comma-separated host names or addresses; another member's certificate must be for one of them.",
            section: "Security"),
        Flag(
            name: "peer-auto-tls", kind: .bool, fallback: "false",
            help:
                "Make a certificate in <data-dir>/fixtures/peer, if none is given; another member's is taken whatever it is.",
            section: "Security"),
        Flag(
            name: "peer-crl-file", kind: .string, fallback: "",
            help: "Revoked certificates of members: a list in DER or PEM.",
            section: "Security"),
        Flag(
            name: "peer-skip-client-san-verification", kind: .bool, fallback: "false",
            help: "Do not compare the addresses and names in a member's certificate with where it connects from.",
            section: "Security"),
        Flag(
            name: "self-signed-cert-validity", kind: .unsigned, fallback: "1",
            help: "Years that certificates made by --auto-tls and --peer-auto-tls are valid.",
            section: "Security"),
        Flag(
            name: "cipher-suites", kind: .string, fallback: "",
            help: "Comma-separated cipher suites of TLS 1.2, the preferred ones first; empty is the library's choice.",
            section: "Security"),
        Flag(
            name: "tls-min-version", kind: .string, fallback: "TLS1.2",
            help: "Lowest version of TLS: TLS1.2 or TLS1.3.",
            section: "Security"),
        Flag(
            name: "tls-max-version", kind: .string, fallback: "",
            help: "Highest version of TLS: TLS1.2 or TLS1.3; empty is the highest there is.",
            section: "Security"),
    ]
}
