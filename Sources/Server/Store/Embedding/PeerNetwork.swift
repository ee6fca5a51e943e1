/// The way to the other members of a cluster. The product StrakePeers has one, `.tcp()`.
public struct PeerNetwork: Sendable {
    /// Opens the ports. It may complete the options by what the other members say.
    package let open: @Sendable (inout StoreOptions) async throws -> any Transport

    package init(open: @escaping @Sendable (inout StoreOptions) async throws -> any Transport) {
        self.open = open
    }
}
