/// A header field: of a table, or of the block just decoded. Its strings lie in one of two memories, told apart by a bit,
/// so that a field is copied around without copying its bytes.
struct HeaderEntry {
    /// Set in offsets into the static table's strings; clear for the decoder's arena.
    static let staticBit: UInt32 = 0x8000_0000

    var nameOffset: UInt32 = 0
    var nameCount: UInt32 = 0
    var valueOffset: UInt32 = 0
    var valueCount: UInt32 = 0
    var name = HeaderName.other
    /// Name or value has bytes that no header may have (RFC 9113 §8.2.1).
    var isMalformed = false
    /// What the value means, by `name`: see `HeaderValue`. Resolved once per table entry, read once per request.
    var resolved: Int64 = 0

    /// Size in the sense of RFC 7541 §4.1.
    var size: Int { Int(nameCount) + Int(valueCount) + 32 }
}

/// Meanings of `HeaderEntry.resolved`.
enum HeaderValue {
    static let methodOther: Int64 = 0
    static let methodPost: Int64 = 1
    static let contentTypeOther: Int64 = 0
    static let contentTypeGRPC: Int64 = 1
    static let contentTypeGRPCProto: Int64 = 2
    static let encodingIdentity: Int64 = 0
    static let encodingOther: Int64 = 1
    /// For numbers that are none: content-length, grpc-timeout, status.
    static let malformed: Int64 = -1

    static func resolve(_ name: HeaderName, _ value: ByteView, methods: MethodTable?) -> Int64 {
        switch name {
        case .method: value.equals("POST") ? methodPost : methodOther
        case .path: Int64(methods?.number(of: value) ?? -1)
        case .status: value.count == 3 ? decimal(value) : malformed
        case .contentType: contentType(value)
        case .contentLength: decimal(value)
        case .grpcTimeout: GRPCTimeout.nanoseconds(value).map { Int64($0) } ?? malformed
        case .grpcEncoding: value.count == 0 || value.equals("identity") ? encodingIdentity : encodingOther
        case .grpcStatus: decimal(value)
        case .other, .authority, .scheme, .unknownPseudo, .connectionSpecific, .grpcMessage: 0
        }
    }

    /// "application/grpc", alone or with a subtype or parameter, as grpc-go has it.
    private static func contentType(_ value: ByteView) -> Int64 {
        guard value.hasPrefix("application/grpc") else { return contentTypeOther }
        guard value.count > 16 else { return contentTypeGRPC }
        guard value[16] == UInt8(ascii: "+") || value[16] == UInt8(ascii: ";") else { return contentTypeOther }
        return value.equals("application/grpc+proto") ? contentTypeGRPCProto : contentTypeGRPC
    }

    private static func decimal(_ value: ByteView) -> Int64 {
        guard (1...18).contains(value.count) else { return malformed }
        var number: Int64 = 0
        for index in 0..<value.count {
            let digit = value[index]
            guard digit >= UInt8(ascii: "0") && digit <= UInt8(ascii: "9") else { return malformed }
            number = number * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return number
    }
}
