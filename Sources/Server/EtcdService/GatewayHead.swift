internal import StrakeGateway
internal import StrakeHTTP2

/// What the headers of a gateway's request mean for its call.
struct GatewayHead {
    /// Bytes of headers that are passed on; they go into one block of the call's.
    private static let metadataBytesMax = 16 << 10
    /// A longer deadline is as good as none, and would not fit into what counts time.
    private static let timeoutHoursMax: Int64 = 24 * 365
    private static let metadataPrefix = "grpc-metadata-"

    private(set) var metadata: [HeaderField] = []
    private(set) var timeoutNanoseconds: Int64?
    private var metadataBytes = 0

    /// - Parameter headers: Names and values, the names in any case.
    init(_ headers: some Sequence<(String, String)>) throws(GatewayError) {
        for (spelling, value) in headers {
            let name = spelling.lowercased()
            if name == "authorization" {
                // gRPC's clients send their token so.
                try add("token", value.hasPrefix("Bearer ") ? String(value.dropFirst(7)) : value, isSensitive: true)
            } else if name == "grpc-timeout" {
                timeoutNanoseconds = try Self.timeout(value)
            } else if name.hasPrefix(Self.metadataPrefix) {
                let name = String(name.dropFirst(Self.metadataPrefix.count))
                // Names that mean something to the call itself are not a client's to set.
                guard !name.isEmpty, !name.hasPrefix(":"), !name.hasPrefix("grpc-"), !Self.reserved.contains(name)
                else {
                    continue
                }
                try add(name, value, isSensitive: name == "token" || name == "authorization")
            }
        }
    }

    private static let reserved: Set<String> = [
        "connection", "content-length", "content-type", "host", "keep-alive", "proxy-connection", "te",
        "transfer-encoding", "upgrade", "user-agent",
    ]

    private mutating func add(_ name: String, _ value: String, isSensitive: Bool) throws(GatewayError) {
        metadataBytes += name.utf8.count + value.utf8.count
        guard metadataBytes <= Self.metadataBytesMax else {
            throw GatewayError(
                code: 8, message: "the headers for the call have more than \(Self.metadataBytesMax) bytes")
        }
        metadata.append(HeaderField(name, value, isSensitive: isSensitive))
    }

    /// gRPC's notation: at most eight digits, and a unit. `nil` for longer than anybody waits.
    private static func timeout(_ text: String) throws(GatewayError) -> Int64? {
        let digits = text.dropLast()
        let unit: Int64? =
            switch text.last {
            case "H": 3_600_000_000_000
            case "M": 60_000_000_000
            case "S": 1_000_000_000
            case "m": 1_000_000
            case "u": 1_000
            case "n": 1
            default: nil
            }
        guard let unit, digits.utf8.count <= 8, let count = Int64(digits), count >= 0 else {
            throw GatewayError(code: 3, message: "invalid grpc-timeout: \(text)")
        }
        let most = timeoutHoursMax * 3_600_000_000_000
        return count <= most / unit ? count * unit : nil
    }
}
