extension Engine {
    /// CONTINUATION frames of one block: more than any real block needs in the smallest frames that make sense.
    private static let continuationsMax = 128

    mutating func headersReceived(_ payload: ByteView) -> Event {
        guard frame.stream != 0 else { return stop(.protocolError, "HEADERS on stream 0") }
        // A client opens odd streams; a server none, as it may not push.
        guard frame.stream & 1 == 1 else { return stop(.protocolError, "HEADERS on an even stream") }
        if !isServer && isIdle(frame.stream) { return stop(.protocolError, "HEADERS on an idle stream") }
        var start = 0
        var padding = 0
        if frame.has(FrameFlags.padded) {
            guard payload.count >= 1 else { return stop(.frameSizeError, "HEADERS without its pad length") }
            padding = Int(payload[0])
            start = 1
        }
        if frame.has(FrameFlags.priority) { start += 5 }
        guard start <= payload.count else { return stop(.frameSizeError, "HEADERS too short") }
        guard padding <= payload.count - start else { return stop(.protocolError, "padding longer than HEADERS") }
        let fragment = payload.slice(from: start, count: payload.count - start - padding)
        headersEndStream = frame.has(FrameFlags.endStream)
        if frame.has(FrameFlags.endHeaders) { return blockReceived(fragment, stream: frame.stream) }
        continuationStream = frame.stream
        continuationCount = 0
        headerBlock.clear(bytesKept: 4 << 10)
        return appendToBlock(fragment)
    }

    mutating func continuationReceived(_ payload: ByteView) -> Event {
        guard continuationStream != 0 else { return stop(.protocolError, "CONTINUATION without HEADERS") }
        continuationCount += 1
        guard continuationCount <= Self.continuationsMax else {
            return stop(.enhanceYourCalm, "too many CONTINUATION frames")
        }
        let event = appendToBlock(payload)
        guard failure == nil, frame.has(FrameFlags.endHeaders) else { return event }
        let stream = continuationStream
        continuationStream = 0
        return blockReceived(ByteView(headerBlock.bytes), stream: stream)
    }

    /// A block is decoded whole, even when its list will be too long, for the tables' sake; so its bytes are bounded too.
    private mutating func appendToBlock(_ fragment: ByteView) -> Event {
        guard headerBlock.count + fragment.count <= limits.headerListBytesMax + limits.frameBytesMax else {
            return stop(.enhanceYourCalm, "header block too large")
        }
        headerBlock.append(fragment.base, count: fragment.count)
        return .nothing
    }

    private mutating func blockReceived(_ block: ByteView, stream: UInt32) -> Event {
        do {
            try decoder.decode(block)
        } catch {
            return stop(.compressionError, "bad header block")
        }
        return isServer ? requestReceived(stream) : responseReceived(stream)
    }

    /// Fields of a trailer section (RFC 9113 §8.1): no pseudo-headers.
    func areTrailersMalformed() -> Bool {
        for index in 0..<decoder.fieldCount {
            let field = decoder.fields[index]
            if field.isMalformed || field.name.isPseudo || field.name == .connectionSpecific { return true }
        }
        return false
    }

    /// END_STREAM came: the event is told after the one before it was.
    mutating func takePendingEnd() -> Event {
        let id = pendingEnd
        pendingEnd = .none
        guard streams.find(id) != nil else { return .nothing }
        return streamEnded(Int(id.slot))
    }

    /// The peer said END_STREAM (in any frame), after everything before was delivered.
    mutating func streamEnded(_ slot: Int) -> Event {
        let stream = streams.slots + slot
        stream.pointee.remoteEnded = true
        let id = StreamID(number: stream.pointee.number, slot: UInt32(slot))
        if stream.pointee.contentLength >= 0 && stream.pointee.contentLength != stream.pointee.bodyBytes {
            return streamError(id.number, .protocolError)
        }
        if stream.pointee.isGRPC {
            if !isServer { return completeWithoutTrailers(slot) }
            if stream.pointee.prefixCount > 0 { return refuse(slot, .internal, "unexpected EOF") }
        }
        if stream.pointee.localEnded { close(slot, .closedByPeer) }
        return .ended(id)
    }
}
