/// The head of an HTTP/1 request on the peer port, as far as an answer depends on it.
struct PeerRequest: Hashable {
    /// A longer head is not waited for.
    static let headBytesMax = 16 << 10

    enum Reading: Hashable {
        /// So far it may become a request.
        case incomplete
        case request(PeerRequest)
        /// It is no request of HTTP/1.
        case none
    }

    var method: String
    /// Path and query.
    var target: String
    /// Of HTTP/1.
    var minorVersion = 1
    /// Header fields that name the host.
    var hosts = 1

    var path: String { String(target.prefix { $0 != "?" }) }

    /// Reads what has come so far. What follows the head is left alone: nothing that is answered here has a body.
    static func read(_ bytes: some Collection<UInt8>) -> Reading {
        var lines = Lines(bytes)
        guard let first = lines.next() else {
            return isText(lines.rest) && bytes.first.map(isTokenByte) ?? true ? .incomplete : .none
        }
        guard isText(first), var request = PeerRequest(line: String(decoding: first, as: UTF8.self)) else {
            return .none
        }
        request.hosts = 0
        while let line = lines.next() {
            if line.isEmpty { return .request(request) }
            let name = line.prefix { $0 != UInt8(ascii: ":") }
            guard isToken(name), name.count < line.count else { return .none }
            if String(decoding: name, as: UTF8.self).lowercased() == "host" { request.hosts += 1 }
        }
        return .incomplete
    }

    private init?(line: String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, Self.isToken(parts[0].utf8), !parts[1].isEmpty, parts[2].hasPrefix("HTTP/1."),
            parts[2].count == 8, let minor = parts[2].last?.wholeNumberValue
        else { return nil }
        self.init(method: String(parts[0]), target: Self.withoutOrigin(parts[1]), minorVersion: minor)
    }

    /// A proxy may be asked with the whole URL, and hand it on (RFC 9112 §3.2.2).
    private static func withoutOrigin(_ target: Substring) -> String {
        guard let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) }) else {
            return String(target)
        }
        let path = target.dropFirst(scheme.count).drop { $0 != "/" && $0 != "?" }
        return path.hasPrefix("/") ? String(path) : "/\(path)"
    }

    init(method: String, target: String, minorVersion: Int = 1, hosts: Int = 1) {
        self.method = method
        self.target = target
        self.minorVersion = minorVersion
        self.hosts = hosts
    }

    /// Printable ASCII; a line that is not whole may end within its end.
    private static func isText(_ bytes: some Collection<UInt8>) -> Bool {
        var carriageReturns = 0
        for byte in bytes {
            guard (0x20..<0x7F).contains(byte) || byte == UInt8(ascii: "\r"), carriageReturns == 0 else { return false }
            if byte == UInt8(ascii: "\r") { carriageReturns += 1 }
        }
        return true
    }

    private static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTokenByte)
    }

    /// RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: tokenSigns.contains(byte)
        }
    }

    private static let tokenSigns = Set("!#$%&'*+-.^_`|~".utf8)
}

/// Whole lines, without their ends. As in Go a line may end without a carriage return.
private struct Lines<Bytes: Collection<UInt8>> {
    private(set) var rest: Bytes.SubSequence

    init(_ bytes: Bytes) {
        rest = bytes[...]
    }

    mutating func next() -> [UInt8]? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        var line = Array(rest[..<end])
        rest = rest[rest.index(after: end)...]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }
}
