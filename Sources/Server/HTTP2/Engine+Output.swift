/// The DATA frame at the end of the output: messages of its stream may still join it.
struct OpenFrame {
    /// 0: the last frame is none, or closed.
    var stream: UInt32 = 0
    var headerPosition = 0
    var length = 0
}

extension Engine {
    mutating func consumeOutput(_ byteCount: Int) {
        openFrame.stream = 0
        output.consume(byteCount)
        if output.count == 0 { answersUnread = 0 }
    }

    // MARK: - Frames

    @inline(__always)
    mutating func writeFrameHeader(length: Int, type: UInt8, flags: UInt8, stream: UInt32) {
        openFrame.stream = 0
        if type <= FrameType.headers { sentSincePing = true }
        output.reserve(FrameHeader.byteCount)
        FrameHeader.store(
            at: output.pointer(at: output.end), length: length, type: type, flags: flags, stream: stream)
        output.advance(FrameHeader.byteCount)
    }

    mutating func writeReset(_ stream: UInt32, _ code: ErrorCode) {
        writeFrameHeader(length: 4, type: FrameType.resetStream, flags: 0, stream: stream)
        output.appendBigEndian(code.rawValue)
    }

    mutating func writeWindowUpdate(_ stream: UInt32, _ increment: Int) {
        writeFrameHeader(length: 4, type: FrameType.windowUpdate, flags: 0, stream: stream)
        output.appendBigEndian(UInt32(increment))
    }

    mutating func writeSettingsAck() {
        writeFrameHeader(length: 0, type: FrameType.settings, flags: FrameFlags.ack, stream: 0)
    }

    mutating func writePing(_ payload: UInt64, isAck: Bool) {
        writeFrameHeader(length: 8, type: FrameType.ping, flags: isAck ? FrameFlags.ack : 0, stream: 0)
        output.appendBigEndian(payload)
    }

    mutating func writeGoAway(lastStream: UInt32, _ code: ErrorCode, _ debug: [UInt8]) {
        writeFrameHeader(length: 8 + debug.count, type: FrameType.goAway, flags: 0, stream: 0)
        output.appendBigEndian(lastStream)
        output.appendBigEndian(code.rawValue)
        output.append(debug)
    }

    // MARK: - Header blocks

    /// Begins HEADERS; `endHeaders` gives the frame its length. In between, only the block is written.
    @inline(__always)
    mutating func beginHeaders(_ stream: UInt32, endStream: Bool) -> Int {
        let start = output.end
        let flags = FrameFlags.endHeaders | (endStream ? FrameFlags.endStream : 0)
        writeFrameHeader(length: 0, type: FrameType.headers, flags: flags, stream: stream)
        return start
    }

    @inline(__always)
    mutating func endHeaders(_ stream: UInt32, endStream: Bool, start: Int) {
        let length = output.end - start - FrameHeader.byteCount
        guard length <= peerFrameMax else {
            splitHeaders(stream, endStream: endStream, start: start, length: length)
            return
        }
        let flags = FrameFlags.endHeaders | (endStream ? FrameFlags.endStream : 0)
        FrameHeader.store(
            at: output.pointer(at: start), length: length, type: FrameType.headers, flags: flags, stream: stream)
    }

    /// A block longer than a frame goes on in CONTINUATION.
    private mutating func splitHeaders(_ stream: UInt32, endStream: Bool, start: Int, length: Int) {
        let payload = start + FrameHeader.byteCount
        let flags = endStream ? FrameFlags.endStream : 0
        FrameHeader.store(
            at: output.pointer(at: start), length: peerFrameMax, type: FrameType.headers, flags: flags, stream: stream)
        spread(from: payload, length: length, first: peerFrameMax) { pointer, length, isLast in
            FrameHeader.store(
                at: pointer, length: length, type: FrameType.continuation,
                flags: isLast ? FrameFlags.endHeaders : 0, stream: stream)
        }
    }

    /// Makes room for frame headers within payload that ends the output: after `first` bytes, then after each
    /// `peerFrameMax`. `header` fills them in, the last one first.
    @discardableResult
    mutating func spread(
        from payload: Int, length: Int, first: Int,
        header: (_ pointer: UnsafeMutableRawPointer, _ length: Int, _ isLast: Bool) -> Void
    ) -> (headerPosition: Int, length: Int) {
        let pieces = (length - first + peerFrameMax - 1) / peerFrameMax
        output.reserve(pieces * FrameHeader.byteCount)
        var last = (headerPosition: 0, length: 0)
        for piece in stride(from: pieces, to: 0, by: -1) {
            let source = payload + first + (piece - 1) * peerFrameMax
            let pieceLength = min(peerFrameMax, payload + length - source)
            let target = source + piece * FrameHeader.byteCount
            output.pointer(at: target).copyMemory(from: output.pointer(at: source), byteCount: pieceLength)
            header(output.pointer(at: target - FrameHeader.byteCount), pieceLength, piece == pieces)
            if piece == pieces { last = (target - FrameHeader.byteCount, pieceLength) }
        }
        output.advance(pieces * FrameHeader.byteCount)
        return last
    }

    mutating func writeResponseHeaders(_ stream: UInt32, _ contentType: CallContentType) {
        let start = beginHeaders(stream, endStream: false)
        appendResponseHeaders(contentType)
        endHeaders(stream, endStream: false, start: start)
    }

    @inline(__always)
    private mutating func appendResponseHeaders(_ contentType: CallContentType) {
        switch contentType {
        case .plain: plainResponseHeaders.append(to: &output, &encoder)
        case .proto: protoResponseHeaders.append(to: &output, &encoder)
        }
    }

    mutating func writeOKTrailers(_ stream: UInt32) {
        let start = beginHeaders(stream, endStream: true)
        okTrailers.append(to: &output, &encoder)
        endHeaders(stream, endStream: true, start: start)
    }

    mutating func writeTrailers(_ stream: UInt32, _ status: GRPCStatus, _ message: [UInt8]) {
        let start = beginHeaders(stream, endStream: true)
        encoder.beginBlock(into: &output)
        appendStatus(status, message)
        endHeaders(stream, endStream: true, start: start)
    }

    private mutating func appendStatus(_ status: GRPCStatus, _ message: [UInt8]) {
        encoder.encode(HeaderField("grpc-status", String(status.rawValue)), .without, into: &output)
        guard !message.isEmpty else { return }
        // Percent-encoded, hence ASCII.
        let text = String(decoding: message, as: UTF8.self)
        encoder.encode(HeaderField("grpc-message", text), .without, into: &output)
    }

    /// An answer of nothing but a status.
    mutating func writeTrailersOnly(_ stream: UInt32, _ refusal: Refusal) {
        let start = beginHeaders(stream, endStream: true)
        if refusal.httpStatus == 200 {
            appendResponseHeaders(refusal.contentType)
        } else {
            encoder.beginBlock(into: &output)
            encoder.encode(HeaderField(":status", String(refusal.httpStatus)), .without, into: &output)
            encoder.encode(HeaderField("content-type", refusal.contentType.text), .without, into: &output)
        }
        appendStatus(refusal.status, PercentEncoding.encode(refusal.message))
        if refusal.namesEncodings {
            encoder.encode(HeaderField("grpc-accept-encoding", "identity"), .without, into: &output)
        }
        endHeaders(stream, endStream: true, start: start)
    }
}
