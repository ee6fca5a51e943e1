extension Engine {
    // MARK: - gRPC answers

    mutating func sendHeaders(_ stream: StreamID) -> Bool {
        guard let open = writable(stream), open.pointee.isGRPC else { return false }
        guard !open.pointee.headersSent else { return true }
        open.pointee.headersSent = true
        writeResponseHeaders(stream.number, open.pointee.contentType)
        return true
    }

    mutating func finish(_ stream: StreamID, _ status: GRPCStatus, _ message: String) -> Bool {
        guard let open = writable(stream) else { return false }
        if open.pointee.longRemaining > 0 || !open.pointee.isGRPC {
            // A message was promised and is not there, and trailers would make it look whole; or there is nothing a
            // grpc-status could say.
            reset(stream, .internalError)
            return true
        }
        let isPlainOK = status == .ok && message.isEmpty
        if !open.pointee.queue.isEmpty {
            if isPlainOK {
                open.pointee.end = .okTrailers
            } else {
                queueTrailers(open, status, PercentEncoding.encode(message))
            }
            return true
        }
        if !open.pointee.headersSent {
            writeTrailersOnly(
                stream.number, Refusal(status: status, message: message, contentType: open.pointee.contentType))
        } else if isPlainOK {
            writeOKTrailers(stream.number)
        } else {
            writeTrailers(stream.number, status, PercentEncoding.encode(message))
        }
        localEnded(Int(stream.slot))
        return true
    }

    // MARK: - HTTP answers

    mutating func respond(_ stream: StreamID, status: Int, headers: [HeaderField], endOfStream: Bool) -> Bool {
        guard let open = writable(stream), !open.pointee.headersSent else { return false }
        open.pointee.headersSent = true
        let start = beginHeaders(stream.number, endStream: endOfStream)
        encoder.beginBlock(into: &output)
        encoder.encode(HeaderField(":status", String(status)), .without, into: &output)
        for field in headers { encoder.encode(field, .without, into: &output) }
        endHeaders(stream.number, endStream: endOfStream, start: start)
        if endOfStream { localEnded(Int(stream.slot)) }
        return true
    }
}
