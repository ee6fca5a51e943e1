internal import Glibc
internal import Synchronization

/// Ports of 127.0.0.1 for tests that must know one before anybody listens at it.
public enum FreePort {
    /// Below those that the system gives to connections, which could take a port between its choice and its use.
    private static let range: Range<UInt16> = 20_000..<32_768
    private static let given = Mutex<Set<UInt16>>([])

    /// One that nobody listens at. A process gets none twice.
    public static func find() -> UInt16 {
        for _ in 0..<1_000 {
            let port = UInt16.random(in: range)
            if given.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
        }
        preconditionFailure("no port is free")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
