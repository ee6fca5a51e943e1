internal import Glibc
internal import StrakeSockets

/// Asks the system's resolver. It blocks.
enum HostLookup {
    /// Whether the address is one of a name's, or has one of the names. `*.` stands for anything before the rest.
    static func isAddress(_ bytes: [UInt8], _ text: String, oneOf names: [String]) -> Bool {
        let wildcards = names.filter { $0.hasPrefix("*.") }.map { String($0.dropFirst()) }
        let plain = names.filter { !$0.hasPrefix("*.") }
        if let name = name(of: bytes) {
            if plain.contains(name) || wildcards.contains(where: { name.hasSuffix($0) }) { return true }
        }
        return plain.contains { HostAddresses.of($0).contains { IPAddress.bytes($0) == bytes } }
    }

    private static func name(of bytes: [UInt8]) -> String? {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let flags = NI_NAMEREQD
        let code: Int32
        if bytes.count == 4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
            code = lookup(address, &host, flags)
        } else {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
            code = lookup(address, &host, flags)
        }
        guard code == 0 else { return nil }
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    private static func lookup<Address>(_ address: Address, _ host: inout [CChar], _ flags: Int32) -> Int32 {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getnameinfo($0, socklen_t(MemoryLayout<Address>.size), &host, socklen_t(host.count), nil, 0, flags)
            }
        }
    }
}
