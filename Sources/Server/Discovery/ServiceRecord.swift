/// Where a service is offered: a SRV record of DNS (RFC 2782).
package struct ServiceRecord: Hashable, Sendable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    /// A host's name, without the dot at its end.
    package var target: String

    package init(priority: UInt16 = 0, weight: UInt16 = 0, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}
