/// What a request's header block says, in one pass over entries whose values were resolved before.
struct RequestSummary {
    var method = -1
    var isPost = false
    var isGRPC = false
    var contentType = CallContentType.plain
    var timeoutNanoseconds = UInt64.max
    var isTimeoutMalformed = false
    var isCompressed = false
    var contentLength: Int64 = -1
    var isMalformed = false

    /// One bit a pseudo-header seen.
    private var pseudoSeen: UInt8 = 0
    private var regularSeen = false

    init(_ fields: UnsafePointer<HeaderEntry>, count: Int) {
        for index in 0..<count { add(fields[index]) }
        // :scheme and :authority are not asked for: clients on unix sockets and old proxies leave them out.
        let needed = Self.bit(.method) | Self.bit(.path)
        if pseudoSeen & needed != needed { isMalformed = true }
    }

    private static func bit(_ name: HeaderName) -> UInt8 { 1 << name.rawValue }

    @inline(__always)
    private mutating func add(_ field: HeaderEntry) {
        if field.isMalformed { isMalformed = true }
        if field.name.isPseudo {
            // Once each, before all others, and none of a response's (RFC 9113 §8.3).
            let bit = Self.bit(field.name)
            if regularSeen || pseudoSeen & bit != 0 { isMalformed = true }
            pseudoSeen |= bit
        } else {
            regularSeen = true
        }
        switch field.name {
        case .other, .authority, .scheme, .grpcStatus, .grpcMessage: break
        case .method: isPost = field.resolved == HeaderValue.methodPost
        case .path:
            method = Int(field.resolved)
            if field.valueCount == 0 { isMalformed = true }
        case .status, .unknownPseudo, .connectionSpecific: isMalformed = true
        case .contentType:
            isGRPC = field.resolved != HeaderValue.contentTypeOther
            contentType = field.resolved == HeaderValue.contentTypeGRPCProto ? .proto : .plain
        case .contentLength: addContentLength(field.resolved)
        case .grpcTimeout:
            isTimeoutMalformed = field.resolved == HeaderValue.malformed
            timeoutNanoseconds = UInt64(max(field.resolved, 0))
        case .grpcEncoding: isCompressed = field.resolved != HeaderValue.encodingIdentity
        }
    }

    private mutating func addContentLength(_ length: Int64) {
        if length < 0 || (contentLength >= 0 && contentLength != length) { isMalformed = true }
        contentLength = length
    }
}
