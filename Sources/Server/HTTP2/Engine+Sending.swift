/// Memory given to the user to write in, between a begin and its end.
struct Reservation {
    var isActive = false
    var stream = StreamID.none
    /// 5 for a gRPC message, 0 for plain bytes.
    var prefixCount = 0
    var bytesMax = 0
    /// In the stream's queue; otherwise in the output.
    var isQueued = false
    /// In the output: in the open frame, rather than behind a header to come.
    var joinsFrame = false
}

extension Engine {
    static let messagePrefixCount = 5

    // MARK: - Messages

    mutating func endMessage(_ stream: StreamID, _ count: Int) { end(stream, count) }

    mutating func sendMessage(_ stream: StreamID, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let room = begin(stream, bytesMax: bytes.count, prefixCount: Self.messagePrefixCount) else {
            return false
        }
        room.copyMemory(from: bytes)
        end(stream, bytes.count)
        return true
    }

    mutating func beginLongMessage(_ stream: StreamID, length: UInt32) -> Bool {
        guard let room = begin(stream, bytesMax: Self.messagePrefixCount, prefixCount: 0) else { return false }
        room.storeBytes(of: UInt8(0), as: UInt8.self)
        room.storeBytes(of: length.bigEndian, toByteOffset: 1, as: UInt32.self)
        end(stream, Self.messagePrefixCount)
        streams.find(stream)?.pointee.longRemaining = Int64(length)
        return true
    }

    mutating func endBytes(_ stream: StreamID, _ count: Int) {
        end(stream, count)
        guard let open = streams.find(stream), open.pointee.isGRPC else { return }
        open.pointee.longRemaining -= Int64(count)
        precondition(open.pointee.longRemaining >= 0, "more bytes than the message was declared to have")
    }

    // MARK: - Back-pressure

    /// DATA bytes that would go out now without waiting.
    func sendCapacity(_ stream: StreamID) -> Int {
        guard let open = writable(stream), open.pointee.queue.isEmpty else { return 0 }
        return max(0, min(open.pointee.sendWindow, sendWindow))
    }

    /// One `streamWritable` as soon as the queue is empty, the windows are open and the output is short.
    mutating func requestWrite(_ stream: StreamID) {
        guard let open = writable(stream) else { return }
        open.pointee.wantsWrite = true
        if open.pointee.sendWindow > 0 { listReady(Int(stream.slot)) }
    }

    // MARK: - Ending

    /// END_STREAM behind everything queued: ends an HTTP body, or a client's half.
    mutating func endBody(_ stream: StreamID) -> Bool {
        guard let open = writable(stream) else { return false }
        guard open.pointee.queue.isEmpty else {
            open.pointee.end = .endOfBody
            return true
        }
        if openFrame.stream == stream.number {
            FrameHeader.store(
                at: output.pointer(at: openFrame.headerPosition), length: openFrame.length, type: FrameType.data,
                flags: FrameFlags.endStream, stream: stream.number)
            openFrame.stream = 0
        } else {
            writeFrameHeader(length: 0, type: FrameType.data, flags: FrameFlags.endStream, stream: stream.number)
        }
        localEnded(Int(stream.slot))
        return true
    }

    /// Gives a stream up at once; what it queued is dropped.
    mutating func reset(_ stream: StreamID, _ code: ErrorCode) {
        guard failure == nil, streams.find(stream) != nil else { return }
        writeReset(stream.number, code)
        close(Int(stream.slot), .resetHere)
    }

    /// END_STREAM is in the output. A server whose client still talks says that it need not (RFC 9113 §8.1).
    mutating func localEnded(_ slot: Int) {
        let stream = streams.slots + slot
        stream.pointee.localEnded = true
        stream.pointee.wantsWrite = false
        if stream.pointee.remoteEnded {
            close(slot, .closedByPeer)
        } else if isServer {
            writeReset(stream.pointee.number, .noError)
            close(slot, .resetHere)
        }
    }

    // MARK: - The machinery

    @inline(__always)
    func writable(_ stream: StreamID) -> UnsafeMutablePointer<Stream>? {
        guard failure == nil, let open = streams.find(stream), open.pointee.end == .open,
            !open.pointee.localEnded
        else { return nil }
        return open
    }

    @inline(__always)
    mutating func begin(
        _ stream: StreamID, bytesMax: Int, prefixCount: Int
    ) -> UnsafeMutableRawBufferPointer? {
        precondition(!reservation.isActive, "begin without the end of the one before")
        precondition(bytesMax >= 0 && bytesMax <= Int(UInt32.max), "no message is that long")
        guard let open = writable(stream) else { return nil }
        if !open.pointee.headersSent {
            // An HTTP answer begins with `respond`.
            guard open.pointee.isGRPC else { return nil }
            open.pointee.headersSent = true
            writeResponseHeaders(stream.number, open.pointee.contentType)
        }
        let isQueued = !open.pointee.queue.isEmpty || open.pointee.sendWindow <= 0 || sendWindow <= 0
        let joins = openFrame.stream == stream.number && openFrame.length < peerFrameMax
        reservation = Reservation(
            isActive: true, stream: stream, prefixCount: prefixCount, bytesMax: bytesMax, isQueued: isQueued,
            joinsFrame: joins)
        let start: UnsafeMutableRawPointer
        if isQueued {
            start = open.pointee.queue.reserve(prefixCount + bytesMax)
        } else {
            let headerCount = joins ? 0 : FrameHeader.byteCount
            output.reserve(headerCount + prefixCount + bytesMax)
            start = output.pointer(at: output.end) + headerCount
        }
        return UnsafeMutableRawBufferPointer(start: start + prefixCount, count: bytesMax)
    }

    @inline(__always)
    private mutating func end(_ stream: StreamID, _ count: Int) {
        let reserved = reservation
        precondition(reserved.isActive && reserved.stream == stream, "end without its begin")
        precondition(count >= 0 && count <= reserved.bytesMax, "more bytes than reserved")
        reservation.isActive = false
        let length = reserved.prefixCount + count
        guard length > 0, let open = streams.find(stream) else { return }
        if reserved.isQueued {
            if reserved.prefixCount > 0 { Self.storePrefix(open.pointee.queue.reserve(length), count) }
            open.pointee.queue.advance(length)
            queuedTotal += length
            if open.pointee.sendWindow > 0 { listReady(Int(stream.slot)) }
            return
        }
        if !reserved.joinsFrame { writeDataHeader(stream.number) }
        if reserved.prefixCount > 0 { Self.storePrefix(output.pointer(at: output.end), count) }
        output.advance(length)
        place(open, Int(stream.slot), length)
    }

    private static func storePrefix(_ pointer: UnsafeMutableRawPointer, _ count: Int) {
        pointer.storeBytes(of: UInt8(0), as: UInt8.self)
        pointer.storeBytes(of: UInt32(count).bigEndian, toByteOffset: 1, as: UInt32.self)
    }

    @inline(__always)
    private mutating func writeDataHeader(_ number: UInt32) {
        let position = output.end
        writeFrameHeader(length: 0, type: FrameType.data, flags: 0, stream: number)
        openFrame = OpenFrame(stream: number, headerPosition: position, length: 0)
    }

    /// Takes `length` bytes at the end of the output into the open frame, as far as the windows let them.
    @inline(__always)
    private mutating func place(_ stream: UnsafeMutablePointer<Stream>, _ slot: Int, _ length: Int) {
        let allowed = min(length, stream.pointee.sendWindow, sendWindow)
        stream.pointee.sendWindow -= allowed
        sendWindow -= allowed
        if allowed < length { queueExcess(stream, slot, length - allowed) }
        let total = openFrame.length + allowed
        guard total <= peerFrameMax else {
            splitData(total)
            return
        }
        openFrame.length = total
        storeOpenFrame()
    }

    private mutating func storeOpenFrame() {
        FrameHeader.store(
            at: output.pointer(at: openFrame.headerPosition), length: openFrame.length, type: FrameType.data,
            flags: 0, stream: openFrame.stream)
    }

    /// The last `excess` bytes wait for a window.
    private mutating func queueExcess(_ stream: UnsafeMutablePointer<Stream>, _ slot: Int, _ excess: Int) {
        let kept = output.end - excess
        stream.pointee.queue.append(output.pointer(at: kept), count: excess)
        output.truncate(to: kept)
        queuedTotal += excess
        if stream.pointee.sendWindow > 0 { listReady(slot) }
    }

    /// The open frame, with `total` bytes, is longer than the peer takes.
    private mutating func splitData(_ total: Int) {
        let stream = openFrame.stream
        let payload = openFrame.headerPosition + FrameHeader.byteCount
        openFrame.length = peerFrameMax
        storeOpenFrame()
        let last = spread(from: payload, length: total, first: peerFrameMax) { pointer, length, _ in
            FrameHeader.store(at: pointer, length: length, type: FrameType.data, flags: 0, stream: stream)
        }
        openFrame = OpenFrame(stream: stream, headerPosition: last.headerPosition, length: last.length)
    }
}
