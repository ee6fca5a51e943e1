internal import StrakeDiscovery

/// `--discovery-srv`: the endpoints that DNS names.
enum EndpointDiscovery {
    /// Puts them in the place of --endpoints, which stay where DNS has none, as etcdctl has it.
    static func fill(_ arguments: inout CommandArguments) async throws(CommandFailure) {
        let domain = arguments.text("discovery-srv")
        guard !domain.isEmpty else { return }
        var endpoints: [String]
        do throws(ServiceLookup.Failure) {
            endpoints = try await ServiceLookup().endpoints(of: domain, suffix: arguments.text("discovery-srv-name"))
        } catch {
            throw CommandFailure(error.description)
        }
        if asksForTLS(arguments) {
            for endpoint in endpoints where endpoint.hasPrefix("http://") {
                CommandOutput.complaint("ignoring discovered insecure endpoint \(GoText.quoted(endpoint))")
            }
            endpoints.removeAll { $0.hasPrefix("http://") }
        }
        if !endpoints.isEmpty { arguments.replace("endpoints", with: endpoints.joined(separator: ",")) }
    }

    /// Then what stays in their place is no less protected: endpoints without a scheme are too.
    static func asksForTLS(_ arguments: CommandArguments) -> Bool {
        !arguments.text("discovery-srv").isEmpty && !arguments.flag("insecure-discovery")
    }
}
