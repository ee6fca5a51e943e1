package import StrakeClient

/// Which discovery service a member asks, and how.
package struct DiscoveryOptions: Sendable {
    /// Names the new cluster.
    package var token: String
    package var endpoints: [String]
    package var client: StrakeClient.Options

    package init(token: String, endpoints: [String], client: StrakeClient.Options) {
        self.token = token
        self.endpoints = endpoints
        self.client = client
    }
}
