extension Engine {
    /// A DATA frame's header: flow control and the stream's state; the payload follows as it comes.
    mutating func beginData() -> Event {
        guard frame.stream != 0 else { return stop(.protocolError, "DATA on stream 0") }
        guard !isIdle(frame.stream) else { return stop(.protocolError, "DATA on an idle stream") }
        phase = .data
        dataRemaining = frame.length
        dataPadding = 0
        dataIsPadded = frame.has(FrameFlags.padded)
        dataEndsStream = frame.has(FrameFlags.endStream)
        dataStream = .none
        if frame.length == 0 && !dataEndsStream {
            guard emptyData.take(now: now) else { return stop(.enhanceYourCalm, "too many empty DATA frames") }
        }
        if dataIsPadded && frame.length == 0 { return stop(.frameSizeError, "DATA without its pad length") }
        guard creditConnection(frame.length) else { return stop(.flowControlError, "connection window exceeded") }
        guard let slot = streams.find(frame.stream) else { return dataOnClosedStream() }
        return admitData(slot)
    }

    /// The whole frame counts against the windows (RFC 9113 §6.9.1). The connection's is given back at once, whether or
    /// not messages are complete: else streams with half a message each could hold it for ever. What they may hold is
    /// bounded by `messageBytesMax` each and `assemblyBytesMax` together.
    private mutating func creditConnection(_ byteCount: Int) -> Bool {
        receiveWindow -= byteCount
        guard receiveWindow >= 0 else { return false }
        receivedBytes += byteCount
        if receivedBytes >= limits.connectionWindowBytes / 2 {
            writeWindowUpdate(0, receivedBytes)
            receiveWindow += receivedBytes
            receivedBytes = 0
        }
        return true
    }

    private mutating func dataOnClosedStream() -> Event {
        // A client may cancel many calls and get what was on the way; a server's peer has to take STREAM_CLOSED.
        guard isServer, closedStreams.how(frame.stream) != .resetHere else { return .nothing }
        return streamError(frame.stream, .streamClosed)
    }

    private mutating func admitData(_ slot: Int) -> Event {
        let stream = streams.slots + slot
        guard !stream.pointee.remoteEnded else { return streamError(frame.stream, .streamClosed) }
        guard isServer || stream.pointee.hasResponse else { return streamError(frame.stream, .protocolError) }
        stream.pointee.receiveWindow -= frame.length
        guard stream.pointee.receiveWindow >= 0 else { return streamError(frame.stream, .flowControlError) }
        dataStream = StreamID(number: frame.stream, slot: UInt32(slot))
        stream.pointee.receivedBytes += frame.length
        if !dataEndsStream { giveWindow(stream) }
        return .nothing
    }

    private mutating func giveWindow(_ stream: UnsafeMutablePointer<Stream>) {
        guard !stream.pointee.holdsWindow, stream.pointee.receivedBytes >= limits.streamWindowBytes / 2 else { return }
        writeWindowUpdate(stream.pointee.number, stream.pointee.receivedBytes)
        stream.pointee.receiveWindow += stream.pointee.receivedBytes
        stream.pointee.receivedBytes = 0
    }

    /// Stops giving the peer room on a stream, or gives what was held back.
    mutating func holdWindow(_ id: StreamID, _ holds: Bool) {
        guard let stream = streams.find(id) else { return }
        stream.pointee.holdsWindow = holds
        if !stream.pointee.remoteEnded { giveWindow(stream) }
    }

    /// A step through the payload. Nil when the input is used up.
    mutating func takeData() -> Event? {
        if dataIsPadded {
            guard available > 0 else { return nil }
            dataIsPadded = false
            dataPadding = Int(takeInput(1)[0])
            dataRemaining -= 1
            guard dataPadding <= dataRemaining else { return stop(.protocolError, "padding longer than DATA") }
            dataRemaining -= dataPadding
        }
        guard dataRemaining > 0 else { return endData() }
        guard available > 0 else { return nil }
        let byteCount = min(dataRemaining, available)
        guard let stream = streams.find(dataStream) else {
            // Its stream is gone: reset by us, before or while it was read.
            dataRemaining -= takeInput(byteCount).count
            return .nothing
        }
        guard stream.pointee.isGRPC else {
            stream.pointee.bodyBytes += Int64(byteCount)
            return .body(dataStream, takePayload(byteCount).buffer)
        }
        let before = dataRemaining
        let event = takeMessage(stream, byteCount)
        // The slot is still there, whoever has it.
        stream.pointee.bodyBytes += Int64(before - dataRemaining)
        return event
    }

    private mutating func endData() -> Event? {
        let padding = min(dataPadding, available)
        dataPadding -= takeInput(padding).count
        guard dataPadding == 0 else { return nil }
        phase = .frameHeader
        guard dataEndsStream, streams.find(dataStream) != nil else { return .nothing }
        return streamEnded(Int(dataStream.slot))
    }

    /// Reads on in a gRPC message: flag and length, then the bytes, in place if they are all there.
    private mutating func takeMessage(_ stream: UnsafeMutablePointer<Stream>, _ byteCount: Int) -> Event {
        if stream.pointee.prefixCount < 5 {
            takePrefix(stream, byteCount)
            guard stream.pointee.prefixCount == 5 else { return .nothing }
            if let event = messageBegan(stream) { return event }
        }
        if stream.pointee.isInParts { return takePart(stream) }
        let length = stream.pointee.messageLength
        let rest = length - stream.pointee.assembly.count
        let here = min(rest, dataRemaining, available)
        if here == length { return deliver(stream, takePayload(here)) }
        guard here > 0 else { return .nothing }
        guard assemblyBytes + here <= limits.assemblyBytesMax else {
            return refuse(Int(dataStream.slot), .resourceExhausted, "too many unfinished messages on the connection")
        }
        assemblyBytes += here
        // The memory of the message before, if it may be kept.
        if stream.pointee.assembly.isEmpty { swap(&stream.pointee.assembly, &delivered) }
        stream.pointee.assembly.append(takePayload(here).base, count: here)
        guard here == rest else { return .nothing }
        assemblyBytes -= length
        // The connection keeps the memory until the next event: the callback may close the stream.
        swap(&delivered, &stream.pointee.assembly)
        return deliver(stream, ByteView(delivered.bytes))
    }

    private mutating func takePart(_ stream: UnsafeMutablePointer<Stream>) -> Event {
        let here = min(stream.pointee.messageLength, dataRemaining, available)
        guard here > 0 else { return .nothing }
        let part = takePayload(here)
        let rest = stream.pointee.messageLength - here
        stream.pointee.messageLength = rest
        if rest == 0 {
            stream.pointee.isInParts = false
            messageEnded(stream)
        }
        return .part(dataStream, part.buffer, rest: rest)
    }

    private mutating func takePayload(_ byteCount: Int) -> ByteView {
        dataRemaining -= byteCount
        return takeInput(byteCount)
    }

    @inline(__always)
    private mutating func takePrefix(_ stream: UnsafeMutablePointer<Stream>, _ byteCount: Int) {
        let bytes = takePayload(min(5 - Int(stream.pointee.prefixCount), byteCount))
        for index in 0..<bytes.count {
            stream.pointee.prefix = stream.pointee.prefix << 8 | UInt64(bytes[index])
        }
        stream.pointee.prefixCount += UInt8(bytes.count)
    }

    /// Judges a message by its prefix.
    private mutating func messageBegan(_ stream: UnsafeMutablePointer<Stream>) -> Event? {
        let prefix = stream.pointee.prefix
        let slot = Int(dataStream.slot)
        stream.pointee.messageLength = Int(prefix & 0xFFFF_FFFF)
        let flag = prefix >> 32 & 0xFF
        if flag == 1 {
            return refuse(slot, .internal, "grpc: compressed flag set with identity or empty encoding")
        }
        if flag > 1 { return refuse(slot, .internal, "grpc: received unexpected payload format \(flag)") }
        let length = stream.pointee.messageLength
        if length > stream.pointee.partsAbove {
            stream.pointee.isInParts = true
            return nil
        }
        guard length <= limits.messageBytesMax else {
            return refuse(
                slot, .resourceExhausted,
                "grpc: received message larger than max (\(length) vs. \(limits.messageBytesMax))")
        }
        return nil
    }

    /// The next byte is the first of another message's prefix.
    private func messageEnded(_ stream: UnsafeMutablePointer<Stream>) {
        stream.pointee.prefixCount = 0
        stream.pointee.prefix = 0
    }

    private mutating func deliver(_ stream: UnsafeMutablePointer<Stream>, _ message: ByteView) -> Event {
        messageEnded(stream)
        let isLast = dataRemaining == 0 && dataEndsStream
        // Known before the callback, so that an answer in it closes the stream without RST_STREAM.
        if isLast && isServer { stream.pointee.remoteEnded = true }
        return .message(dataStream, message.buffer, isLast: isLast)
    }
}
