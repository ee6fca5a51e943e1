extension GatewayRoute {
    /// - Parameter json: One value that `JSONSyntax` has passed.
    /// - Returns: The request in protobuf.
    package func request(json: [UInt8]) throws(GatewayError) -> [UInt8] {
        try RequestDecoder.decode(json, as: request)
    }

    /// The answer to a call.
    package func answer(protobuf message: UnsafeRawBufferPointer) throws(GatewayError) -> [UInt8] {
        var encoder = AnswerEncoder(style: .spaced)
        try encoder.message(message, response)
        return encoder.writer.bytes
    }

    /// The answer to a call, which comes and goes piece by piece.
    ///
    /// - Parameter byteCount: All of the message.
    package func longAnswer(byteCount: Int) -> IncrementalAnswerEncoder {
        IncrementalAnswerEncoder(response, byteCount: byteCount)
    }

    /// One answer of a stream, as a line.
    package func line(protobuf message: UnsafeRawBufferPointer) throws(GatewayError) -> [UInt8] {
        var encoder = AnswerEncoder(style: .compact)
        try encoder.result(message, response)
        return encoder.writer.bytes
    }
}

extension AnswerEncoder {
    fileprivate mutating func result(_ message: UnsafeRawBufferPointer, _ type: Int) throws(GatewayError) {
        writer.raw("{\"result\":")
        try self.message(message, type)
        writer.raw("}\n")
    }
}
