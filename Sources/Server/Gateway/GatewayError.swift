/// Why a request is refused, or a call has failed: gRPC's code and text, which a client of the gateway gets as JSON.
package struct GatewayError: Error, Hashable, Sendable {
    /// gRPC's number.
    package var code: UInt8
    package var message: String

    package static let unknownPath = GatewayError(code: 5, message: "Not Found")
    package static let notPosted = GatewayError(code: 12, message: "Method Not Allowed")
    package static let deadlineExceeded = GatewayError(code: 4, message: "context deadline exceeded")

    package init(code: UInt8, message: String) {
        self.code = code
        self.message = message
    }

    /// What is wrong with a body.
    static func invalid(_ message: String) -> GatewayError { GatewayError(code: 3, message: message) }

    /// An answer that is not what its type says.
    static let malformedAnswer = GatewayError(code: 13, message: "the answer is no protobuf message of its type")

    /// grpc-gateway's table of codes. 499 is a client that went away, by nginx's convention.
    package var httpStatus: Int {
        switch code {
        case 0: 200
        case 1: 499
        case 3, 9, 11: 400
        case 4: 504
        case 5: 404
        case 6, 10: 409
        case 7: 403
        case 8: 429
        case 12: 501
        case 14: 503
        case 16: 401
        default: 500
        }
    }

    /// As the answer to a call.
    package var body: [UInt8] { json(.spaced) }

    /// As the last line of a stream.
    package var line: [UInt8] {
        var writer = JSONWriter(style: .compact)
        writer.raw("{\"error\":")
        writer.bytes += json(.compact)
        writer.raw("}\n")
        return writer.bytes
    }

    private func json(_ style: JSONWriter.Style) -> [UInt8] {
        var writer = JSONWriter(style: style)
        writer.beginObject()
        if code != 0 {
            writer.name("code")
            writer.raw(String(code))
        }
        if !message.isEmpty {
            writer.name("message")
            writer.string(Array(message.utf8))
        }
        writer.endObject()
        return writer.bytes
    }
}
