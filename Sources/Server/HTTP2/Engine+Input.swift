enum InputPhase {
    /// Server: the client's 24 magic bytes.
    case preface
    case frameHeader
    /// Payload of any frame but DATA, taken whole.
    case payload
    /// DATA, taken as it comes.
    case data
}

extension Engine {
    private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    mutating func beginInput(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        precondition(!isReceiving, "receive called from a callback")
        isReceiving = true
        let view = ByteView(bytes)
        input = view.base
        inputCount = view.count
        inputOffset = 0
        self.now = max(self.now, now)
    }

    mutating func endInput() {
        isReceiving = false
        inputCount = 0
        inputOffset = 0
    }

    @inline(__always)
    var available: Int { inputCount - inputOffset }

    @inline(__always)
    mutating func takeInput(_ byteCount: Int) -> ByteView {
        precondition(byteCount >= 0 && byteCount <= available, "took more input than there is")
        let view = ByteView(base: input + inputOffset, count: byteCount)
        inputOffset += byteCount
        return view
    }

    /// The next event. The generic pump around it does nothing else, so that all of the engine is compiled once.
    mutating func next() -> Event {
        if !delivered.isEmpty { delivered.clear(bytesKept: 64 << 10) }
        if pendingEnd.number != 0 {
            let event = takePendingEnd()
            if case .nothing = event {} else { return event }
        }
        if goAwaySweep != nil {
            let event = sweep()
            if case .nothing = event {} else { return event }
        }
        while failure == nil {
            guard let event = step() else { return nextWithoutInput() }
            if case .nothing = event { continue }
            return event
        }
        if isFailureReported { return .idle }
        isFailureReported = true
        return .failed
    }

    /// Nil when the input does not suffice for a step.
    private mutating func step() -> Event? {
        switch phase {
        case .frameHeader:
            guard takeFrameHeader() else { return nil }
            return beginFrame()
        case .data:
            return takeData()
        case .payload:
            guard let payload = takePayload() else { return nil }
            phase = .frameHeader
            let event = obey(payload)
            partial.clear(bytesKept: 4 << 10)
            return event
        case .preface:
            return takePreface()
        }
    }

    private mutating func takePreface() -> Event? {
        guard available > 0 else { return nil }
        let magic = Self.preface
        while available > 0, prefaceCount < magic.utf8CodeUnitCount {
            guard takeInput(1)[0] == magic.utf8Start[prefaceCount] else {
                return stop(.protocolError, "bad connection preface")
            }
            prefaceCount += 1
        }
        if prefaceCount == magic.utf8CodeUnitCount { phase = .frameHeader }
        return .nothing
    }

    private mutating func takeFrameHeader() -> Bool {
        if partial.isEmpty && available >= FrameHeader.byteCount {
            frame = FrameHeader(takeInput(FrameHeader.byteCount))
            return true
        }
        gather(FrameHeader.byteCount)
        guard partial.count == FrameHeader.byteCount else { return false }
        frame = FrameHeader(ByteView(partial.bytes))
        partial.consume(FrameHeader.byteCount)
        return true
    }

    private mutating func takePayload() -> ByteView? {
        if partial.isEmpty && available >= frame.length { return takeInput(frame.length) }
        gather(frame.length)
        return partial.count == frame.length ? ByteView(partial.bytes) : nil
    }

    /// Moves input to `partial` until that has `byteCount` bytes.
    private mutating func gather(_ byteCount: Int) {
        let view = takeInput(min(byteCount - partial.count, available))
        partial.append(view.base, count: view.count)
    }

    /// What every frame must be, whatever its type.
    private mutating func beginFrame() -> Event {
        guard frame.length <= limits.frameBytesMax else { return stop(.frameSizeError, "frame too large") }
        guard hasSettings || (frame.type == FrameType.settings && !frame.has(FrameFlags.ack)) else {
            return stop(.protocolError, "the first frame is not SETTINGS")
        }
        if continuationStream != 0 {
            guard frame.type == FrameType.continuation, frame.stream == continuationStream else {
                return stop(.protocolError, "expected CONTINUATION")
            }
        }
        if frame.type == FrameType.data { return beginData() }
        phase = .payload
        return .nothing
    }

    /// What is due when all input was read.
    private mutating func nextWithoutInput() -> Event {
        if failure == nil {
            let event = sendReady()
            if case .nothing = event {} else { return event }
        }
        if streams.count == 0 && drain == .closing {
            drain = .reported
            return .drained
        }
        return .idle
    }
}
