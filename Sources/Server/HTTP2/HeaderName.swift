/// The header names that mean something here; found out once per HPACK table entry.
enum HeaderName: UInt8 {
    case other = 0
    case authority
    case method
    case path
    case scheme
    case status
    /// A pseudo-header nobody knows: the message is malformed (RFC 9113 §8.3).
    case unknownPseudo
    /// Headers of the connection, which HTTP/2 forbids (RFC 9113 §8.2.2).
    case connectionSpecific
    case contentType
    case contentLength
    case grpcTimeout
    case grpcEncoding
    case grpcStatus
    case grpcMessage

    var isPseudo: Bool { rawValue >= HeaderName.authority.rawValue && rawValue <= HeaderName.unknownPseudo.rawValue }

    init(_ name: ByteView) {
        guard name.count > 0 else {
            self = .other
            return
        }
        if name[0] == UInt8(ascii: ":") {
            self = Self.pseudo(name)
            return
        }
        switch name.count {
        case 7 where name.equals("upgrade"): self = .connectionSpecific
        case 10 where name.equals("connection"), 10 where name.equals("keep-alive"): self = .connectionSpecific
        case 11 where name.equals("grpc-status"): self = .grpcStatus
        case 12 where name.equals("content-type"): self = .contentType
        case 12 where name.equals("grpc-timeout"): self = .grpcTimeout
        case 12 where name.equals("grpc-message"): self = .grpcMessage
        case 13 where name.equals("grpc-encoding"): self = .grpcEncoding
        case 14 where name.equals("content-length"): self = .contentLength
        case 16 where name.equals("proxy-connection"): self = .connectionSpecific
        case 17 where name.equals("transfer-encoding"): self = .connectionSpecific
        default: self = .other
        }
    }

    private static func pseudo(_ name: ByteView) -> HeaderName {
        switch name.count {
        case 5 where name.equals(":path"): .path
        case 7 where name.equals(":method"): .method
        case 7 where name.equals(":scheme"): .scheme
        case 7 where name.equals(":status"): .status
        case 10 where name.equals(":authority"): .authority
        default: .unknownPseudo
        }
    }
}
