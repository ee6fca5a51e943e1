internal import CResolver
internal import NIOPosix
internal import StrakeSockets

/// Asks DNS which members a new cluster has, and where a cluster serves its clients (etcd's DNS discovery).
package struct ServiceLookup: Sendable {
    /// Longest answer read: what a DNS message can be.
    static let answerBytesMax = 65_535
    private static let serviceType: Int32 = 33

    /// Why a service has no records; Go's words, which etcd's users know.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    package init() {}

    /// What both services of a domain say: `_etcd-server-ssl._tcp` of https, `_etcd-server._tcp` of http.
    ///
    /// - Parameters:
    ///   - suffix: Goes after the services' names and a hyphen; empty: neither does.
    ///   - advertised: The member's own peer URLs, with their parts.
    /// - Returns: The members, and what failed.
    package func members(
        of domain: String, suffix: String, advertised: [(url: String, scheme: String, host: String, port: UInt16)]
    ) async -> (ServiceMembers, failures: [Failure]) {
        await Self.onThread { ask(domain, suffix, advertised) }
    }

    /// Where a domain's cluster serves clients: `_etcd-client-ssl._tcp` by https, `_etcd-client._tcp` by http.
    ///
    /// - Parameter suffix: Goes after the services' names and a hyphen; empty: neither does.
    /// - Throws: What failed, when neither service has records.
    package func endpoints(of domain: String, suffix: String) async throws(Failure) -> [String] {
        let (found, failures) = await Self.onThread { () -> ([String], [Failure]) in
            var found: [String] = []
            var failures: [Failure] = []
            for (kind, scheme) in [("etcd-client-ssl", "https"), ("etcd-client", "http")] {
                do throws(Failure) {
                    let records = try records(of: "_\(Self.service(kind, suffix))._tcp.\(domain)")
                    found += records.map { "\(scheme)://\($0.target):\($0.port)" }
                } catch {
                    failures.append(error)
                }
            }
            return (found, failures)
        }
        if failures.count == 2 {
            throw Failure(description: "dns lookup errors: \(failures[0].description) and \(failures[1].description)")
        }
        return found
    }

    private static func service(_ kind: String, _ suffix: String) -> String {
        suffix.isEmpty ? kind : "\(kind)-\(suffix)"
    }

    /// It waits for DNS servers: on a thread that is there for that, and ends with it.
    private static func onThread<Found: Sendable>(_ body: @escaping @Sendable () -> Found) async -> Found {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let found = try? await pool.runIfActive(body)
        try? await pool.shutdownGracefully()
        guard let found else { preconditionFailure("the pool has ended before its work") }
        return found
    }

    private func ask(
        _ domain: String, _ suffix: String,
        _ advertised: [(url: String, scheme: String, host: String, port: UInt16)]
    ) -> (ServiceMembers, failures: [Failure]) {
        var failures: [Failure] = []
        var members = ServiceMembers(
            advertised: advertised.map { own in
                (
                    own.url,
                    ServiceMembers.Place(scheme: own.scheme, port: own.port, addresses: Set(HostAddresses.of(own.host)))
                )
            })
        for (kind, scheme) in [("etcd-server-ssl", "https"), ("etcd-server", "http")] {
            let service = Self.service(kind, suffix)
            do throws(Failure) {
                for record in try records(of: "_\(service)._tcp.\(domain)") {
                    members.add(
                        record, of: service,
                        at: ServiceMembers.Place(
                            scheme: scheme, port: record.port, addresses: Set(HostAddresses.of(record.target))))
                }
            } catch {
                failures.append(
                    Failure(description: "error querying DNS SRV records for _\(service) \(error.description)"))
            }
        }
        return (members, failures)
    }

    private func records(of name: String) throws(Failure) -> [ServiceRecord] {
        var answer = [UInt8](repeating: 0, count: Self.answerBytesMax)
        let length = strake_resolver_query(name, Self.serviceType, &answer, Int32(answer.count))
        guard length >= 0 else { throw Failure(description: "lookup \(name): \(Self.words(for: length))") }
        do throws(DNSAnswer.Problem) {
            return try DNSAnswer.services(in: Array(answer.prefix(Int(length))))
        } catch {
            throw Failure(description: "lookup \(name): the answer cannot be read (\(error))")
        }
    }

    private static func words(for reason: Int32) -> String {
        switch Int(reason) {
        case STRAKE_RESOLVER_NO_HOST, STRAKE_RESOLVER_NO_DATA: "no such host"
        case STRAKE_RESOLVER_TRY_AGAIN: "server misbehaving, or none answers"
        default: "server misbehaving"
        }
    }
}
