internal import Glibc

/// IP addresses as certificates hold them.
enum IPAddress {
    private static let mappedPrefix: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]

    /// 4 or 16 bytes; nil when the text is no address. An IPv4 address in an IPv6 one is taken out of it.
    static func bytes(_ text: String) -> [UInt8]? {
        var four = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &four) == 1 { return four }
        var sixteen = [UInt8](repeating: 0, count: 16)
        // An address of this machine may name its interface.
        let bare = text.prefix { $0 != "%" }
        guard inet_pton(AF_INET6, String(bare), &sixteen) == 1 else { return nil }
        return sixteen.starts(with: mappedPrefix) ? Array(sixteen.suffix(4)) : sixteen
    }
}
