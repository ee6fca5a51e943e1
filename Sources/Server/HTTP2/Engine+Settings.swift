/// SETTINGS parameters (RFC 9113 §6.5.2).
enum SettingsID {
    static let headerTableSize: UInt16 = 1
    static let enablePush: UInt16 = 2
    static let maxConcurrentStreams: UInt16 = 3
    static let initialWindowSize: UInt16 = 4
    static let maxFrameSize: UInt16 = 5
    static let maxHeaderListSize: UInt16 = 6
}

extension Engine {
    /// Frames of more than this make one stream wait long for another, whatever the peer allows.
    private static let frameBytesSentMax = 65_536

    mutating func settingsReceived(_ payload: ByteView) -> Event {
        guard frame.stream == 0 else { return stop(.protocolError, "SETTINGS on a stream") }
        if frame.has(FrameFlags.ack) {
            guard payload.count == 0 else { return stop(.frameSizeError, "SETTINGS acknowledgement with a payload") }
            return .nothing
        }
        guard payload.count % 6 == 0 else { return stop(.frameSizeError, "SETTINGS of a wrong size") }
        guard settingsFrames.take(now: now) else { return stop(.enhanceYourCalm, "too many SETTINGS") }
        hasSettings = true
        // All streams have to be looked at for a new window: once or twice for a frame, however often it names one.
        var windows: (highest: UInt32, last: UInt32)?
        for offset in stride(from: 0, to: payload.count, by: 6) {
            let (id, value) = (payload.bigEndian16(at: offset), payload.bigEndian32(at: offset + 2))
            if id == SettingsID.initialWindowSize {
                windows = (max(value, windows?.highest ?? 0), value)
            } else {
                apply(id, value)
            }
            guard failure == nil else { return .nothing }
        }
        if let windows {
            applyInitialWindow(windows.highest)
            if failure == nil { applyInitialWindow(windows.last) }
            guard failure == nil else { return .nothing }
        }
        writeSettingsAck()
        return noteAnswer()
    }

    private mutating func apply(_ id: UInt16, _ value: UInt32) {
        switch id {
        case SettingsID.headerTableSize:
            encoder.setPeerTableSize(value)
        case SettingsID.enablePush:
            // A server must not send 1 (RFC 9113 §6.5.2).
            if value > (isServer ? 1 : 0) { stop(.protocolError, "bad SETTINGS_ENABLE_PUSH") }
        case SettingsID.maxConcurrentStreams:
            peerMaxStreams = value
        case SettingsID.maxFrameSize:
            guard (16_384...16_777_215).contains(value) else {
                stop(.protocolError, "bad SETTINGS_MAX_FRAME_SIZE")
                return
            }
            peerFrameMax = min(Int(value), Self.frameBytesSentMax)
        default:
            // SETTINGS_MAX_HEADER_LIST_SIZE is advice, unknown ones must be ignored.
            break
        }
    }

    /// Moves the window of every stream, possibly below zero (RFC 9113 §6.9.2).
    private mutating func applyInitialWindow(_ value: UInt32) {
        guard value <= UInt32(Int32.max) else {
            stop(.flowControlError, "bad SETTINGS_INITIAL_WINDOW_SIZE")
            return
        }
        let change = Int(value) - peerWindow
        peerWindow = Int(value)
        guard change != 0 else { return }
        for slot in 0..<streams.slotLimit where streams.slots[slot].number != 0 {
            let stream = streams.slots + slot
            stream.pointee.sendWindow += change
            guard stream.pointee.sendWindow <= Int(Int32.max) else {
                stop(.flowControlError, "stream window too large")
                return
            }
            if stream.pointee.isWaiting { listReady(slot) }
        }
    }

    /// What a connection begins with (RFC 9113 §3.4): the client's magic, SETTINGS, and the connection window, which
    /// SETTINGS cannot say.
    mutating func sendPreface() {
        if !isServer { output.append(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)) }
        var settings: [(UInt16, UInt32)] = []
        if !isServer { settings.append((SettingsID.enablePush, 0)) }
        if isServer && limits.maxConcurrentStreams != .max {
            settings.append((SettingsID.maxConcurrentStreams, limits.maxConcurrentStreams))
        }
        settings.append((SettingsID.initialWindowSize, UInt32(limits.streamWindowBytes)))
        if limits.frameBytesMax != 16_384 { settings.append((SettingsID.maxFrameSize, UInt32(limits.frameBytesMax))) }
        settings.append((SettingsID.maxHeaderListSize, UInt32(clamping: limits.headerListBytesMax)))
        writeFrameHeader(length: settings.count * 6, type: FrameType.settings, flags: 0, stream: 0)
        for (id, value) in settings {
            output.append(UInt8(id >> 8))
            output.append(UInt8(id & 0xFF))
            output.appendBigEndian(value)
        }
        let more = limits.connectionWindowBytes - 65_535
        if more > 0 { writeWindowUpdate(0, more) }
    }
}
