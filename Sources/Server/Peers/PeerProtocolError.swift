/// Why bytes are not what a member of this version sends. The connection ends by it.
package enum PeerProtocolError: Error, Hashable, Sendable {
    case truncated
    /// The field has a value that is never sent.
    case malformed(String)
    case frameTooLong(bytes: Int, max: Int)
    case checksum(expected: UInt32, found: UInt32)
    /// A known frame where it has no place.
    case unexpectedFrame(UInt8)

    static func malformed(_ field: StaticString) -> PeerProtocolError { .malformed("\(field)") }
}

extension PeerProtocolError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "a message ends too early"
        case .malformed(let field): "a message with an impossible \(field)"
        case .frameTooLong(let bytes, let max): "a frame of \(bytes) bytes, where at most \(max) are allowed"
        case .checksum(let expected, let found):
            "a damaged frame: checksum \(String(found, radix: 16)) instead of \(String(expected, radix: 16))"
        case .unexpectedFrame(let type): "a frame of type \(type) that has no place here"
        }
    }
}
