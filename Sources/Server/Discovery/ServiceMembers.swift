/// The members of a new cluster, as SRV records name them.
///
/// Whom a record is for is told by addresses: a member knows its own peer URLs, and the records name hosts.
package struct ServiceMembers: Sendable {
    /// A place that members are reached at.
    package struct Place: Hashable, Sendable {
        package var scheme: String
        package var port: UInt16
        /// Of the host: its IP addresses, as text.
        package var addresses: Set<String>

        package init(scheme: String, port: UInt16, addresses: Set<String>) {
            self.scheme = scheme
            self.port = port
            self.addresses = addresses
        }

        /// Whatever the scheme.
        func isAt(_ other: Place) -> Bool { port == other.port && !addresses.isDisjoint(with: other.addresses) }
    }

    /// Peer URLs that are those of the member who asks.
    package private(set) var own: [String] = []
    /// One of each other member: records do not tell which of them belong together.
    package private(set) var others: [String] = []
    /// Its own URLs that no record has.
    package private(set) var missing: [String]
    /// Those of records whose hosts have no address, at least now.
    package private(set) var unresolved: [String] = []
    /// Why records, or own URLs, were left out.
    package private(set) var problems: [String] = []

    private let advertised: [(url: String, place: Place)]

    package init(advertised: [(url: String, place: Place)]) {
        self.advertised = advertised
        missing = advertised.map(\.url)
        problems = advertised.filter(\.place.addresses.isEmpty).map { "no address of this member's own \($0.url)" }
    }

    /// Takes a record of a service.
    ///
    /// - Parameters:
    ///   - service: Such as `etcd-server-ssl`.
    ///   - place: Where the record leads.
    package mutating func add(_ record: ServiceRecord, of service: String, at place: Place) {
        let url = "\(place.scheme)://\(record.target):\(record.port)"
        guard !place.addresses.isEmpty else {
            unresolved.append(url)
            problems.append("\(url) from DNS for \(service): no address of \(record.target)")
            return
        }
        guard let match = advertised.first(where: { $0.place.isAt(place) }) else {
            others.append(url)
            return
        }
        guard match.place.scheme == place.scheme else {
            problems.append(
                "bootstrap at \(url) from DNS for \(service) has scheme mismatch with expected peer \(match.url)")
            return
        }
        own.append(url)
        missing.removeAll { $0 == match.url }
    }
}
