extension Engine {
    /// Frames that an unread output may hold because the peer asked for them; the shell stops reading long before.
    private static let answersUnreadMax = 100_000
    private static let pingStrikesMax = 2
    /// grpc-go's defaultPingTimeout: how often a client without calls may ping.
    private static let idlePingInterval: UInt64 = 2 * 3_600 * 1_000_000_000

    /// Obeys a whole frame that is not DATA.
    mutating func obey(_ payload: ByteView) -> Event {
        switch frame.type {
        case FrameType.headers: headersReceived(payload)
        case FrameType.continuation: continuationReceived(payload)
        case FrameType.windowUpdate: windowUpdateReceived(payload)
        case FrameType.resetStream: resetReceived(payload)
        case FrameType.settings: settingsReceived(payload)
        case FrameType.ping: pingReceived(payload)
        case FrameType.goAway: goAwayReceived(payload)
        case FrameType.priority: priorityReceived(payload)
        case FrameType.pushPromise: stop(.protocolError, "PUSH_PROMISE")
        default: ignored()
        }
    }

    private mutating func ignored() -> Event {
        guard ignoredFrames.take(now: now) else { return stop(.enhanceYourCalm, "too many ignored frames") }
        return .nothing
    }

    /// RFC 9113 §5.3.2: priorities are deprecated; the frame's form is still checked.
    private mutating func priorityReceived(_ payload: ByteView) -> Event {
        guard frame.stream != 0 else { return stop(.protocolError, "PRIORITY on stream 0") }
        guard payload.count == 5 else { return streamError(frame.stream, .frameSizeError) }
        return ignored()
    }

    /// Whether a stream was ever opened: frames on others are connection errors (RFC 9113 §5.1, "idle").
    func isIdle(_ number: UInt32) -> Bool {
        let isClients = number & 1 == 1
        return isClients == isServer ? number > lastPeerStream : number > lastOwnStream
    }

    private mutating func windowUpdateReceived(_ payload: ByteView) -> Event {
        guard payload.count == 4 else { return stop(.frameSizeError, "WINDOW_UPDATE of a wrong size") }
        let increment = Int(payload.bigEndian32(at: 0) & 0x7FFF_FFFF)
        guard frame.stream != 0 else {
            guard increment > 0 else { return stop(.protocolError, "WINDOW_UPDATE of 0") }
            guard sendWindow + increment <= Int(Int32.max) else {
                return stop(.flowControlError, "connection window too large")
            }
            sendWindow += increment
            return .nothing
        }
        guard !isIdle(frame.stream) else { return stop(.protocolError, "WINDOW_UPDATE on an idle stream") }
        guard let slot = streams.find(frame.stream) else { return .nothing }
        guard increment > 0 else { return streamError(frame.stream, .protocolError) }
        let stream = streams.slots + slot
        guard stream.pointee.sendWindow + increment <= Int(Int32.max) else {
            return streamError(frame.stream, .flowControlError)
        }
        stream.pointee.sendWindow += increment
        if stream.pointee.isWaiting { listReady(slot) }
        return .nothing
    }

    private mutating func resetReceived(_ payload: ByteView) -> Event {
        guard payload.count == 4 else { return stop(.frameSizeError, "RST_STREAM of a wrong size") }
        guard frame.stream != 0 else { return stop(.protocolError, "RST_STREAM on stream 0") }
        guard !isIdle(frame.stream) else { return stop(.protocolError, "RST_STREAM on an idle stream") }
        guard resets.take(now: now) else { return stop(.enhanceYourCalm, "too many resets") }
        guard let slot = streams.find(frame.stream) else { return .nothing }
        let code = ErrorCode(wire: payload.bigEndian32(at: 0))
        return lose(slot, .reset(code), .closedByPeer)
    }

    private mutating func pingReceived(_ payload: ByteView) -> Event {
        guard frame.stream == 0 else { return stop(.protocolError, "PING on a stream") }
        guard payload.count == 8 else { return stop(.frameSizeError, "PING of a wrong size") }
        let data = payload.bigEndian64(at: 0)
        if frame.has(FrameFlags.ack) {
            if data == Self.drainPing && drain == .announced {
                finishAnnouncement()
                return .nothing
            }
            return .pingAnswered(data)
        }
        if let refusal = pingRefusal() { return stop(.enhanceYourCalm, refusal) }
        writePing(data, isAck: true)
        return noteAnswer()
    }

    /// grpc-go's rule: a ping after HEADERS or DATA of ours is free, however many come. Bandwidth probes come then, one
    /// for each answer, which on a fast connection is thousands a second. Others must keep their distance, and the third
    /// that does not ends the connection.
    private mutating func pingRefusal() -> String? {
        let last = lastPingAt
        lastPingAt = now
        guard !sentSincePing else {
            sentSincePing = false
            pingStrikes = 0
            return nil
        }
        guard pings.take(now: now) else { return "too many pings" }
        guard limits.pingIntervalMin > 0 else { return nil }
        let isQuiet = streams.count == 0 && !limits.pingsWithoutStreams
        let interval = isQuiet ? Self.idlePingInterval : limits.pingIntervalMin
        if let last, now - last < interval { pingStrikes += 1 }
        return pingStrikes > Self.pingStrikesMax ? "too_many_pings" : nil
    }

    private mutating func goAwayReceived(_ payload: ByteView) -> Event {
        guard frame.stream == 0 else { return stop(.protocolError, "GOAWAY on a stream") }
        guard payload.count >= 8 else { return stop(.frameSizeError, "GOAWAY of a wrong size") }
        let last = payload.bigEndian32(at: 0) & 0x7FFF_FFFF
        let code = ErrorCode(wire: payload.bigEndian32(at: 4))
        if !isServer {
            // It may come again with a lower stream, never a higher one (RFC 9113 §6.8).
            goAwayLimit = min(goAwayLimit, last)
            goAwaySweep = 0
        }
        return .goAwayReceived(last, code)
    }

    /// Tells of the streams above a GOAWAY's limit, one a call.
    mutating func sweep() -> Event {
        while let slot = goAwaySweep {
            guard slot < streams.slotLimit else {
                goAwaySweep = nil
                break
            }
            goAwaySweep = slot + 1
            if streams.slots[slot].number > goAwayLimit { return lose(slot, .unprocessed, .resetHere) }
        }
        return .nothing
    }

    /// Counts an answer that the peer made us write.
    mutating func noteAnswer() -> Event {
        answersUnread += 1
        guard answersUnread <= Self.answersUnreadMax else {
            return stop(.enhanceYourCalm, "answers are not being read")
        }
        return .nothing
    }

    /// RST_STREAM for the peer's fault (RFC 9113 §5.4.2), open or not.
    mutating func streamError(_ number: UInt32, _ code: ErrorCode) -> Event {
        guard resets.take(now: now) else { return stop(.enhanceYourCalm, "too many stream errors") }
        writeReset(number, code)
        _ = noteAnswer()
        guard let slot = streams.find(number) else {
            closedStreams.note(number, .resetHere)
            return .nothing
        }
        return lose(slot, .error(code), .resetHere)
    }

    /// Takes a stream from its user.
    mutating func lose(_ slot: Int, _ reason: CloseReason, _ how: ClosedStreams.How) -> Event {
        let stream = streams.slots[slot]
        let id = StreamID(number: stream.number, slot: UInt32(slot))
        close(slot, how)
        guard !isServer && stream.isGRPC else { return .closed(id, reason) }
        clearHead()
        isCallUnprocessed = reason == .unprocessed || reason == .reset(.refusedStream)
        switch reason {
        case .reset(let code): return .completed(id, GRPCStatus(resetBy: code))
        case .refused(let status): return .completed(id, status)
        case .error: return .completed(id, .internal)
        case .unprocessed: return .completed(id, .unavailable)
        }
    }

    /// Frees a stream's slot.
    mutating func close(_ slot: Int, _ how: ClosedStreams.How) {
        let stream = streams.slots + slot
        closedStreams.note(stream.pointee.number, how)
        queuedTotal -= stream.pointee.queuedBytes
        assemblyBytes -= stream.pointee.assembly.count
        streams.remove(slot)
    }
}
