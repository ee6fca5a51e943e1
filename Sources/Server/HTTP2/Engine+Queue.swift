extension Engine {
    /// Puts a stream that could send among those that wait their turn. Streams leave the list when their own window is
    /// used up, and come back with their WINDOW_UPDATE.
    mutating func listReady(_ slot: Int) {
        let stream = streams.slots + slot
        guard !stream.pointee.isListed else { return }
        stream.pointee.isListed = true
        stream.pointee.nextReady = -1
        if readyTail >= 0 { streams.slots[Int(readyTail)].nextReady = Int32(slot) } else { readyHead = Int32(slot) }
        readyTail = Int32(slot)
        readyCount += 1
    }

    private mutating func popReady() -> Int {
        let slot = Int(readyHead)
        let stream = streams.slots + slot
        readyHead = stream.pointee.nextReady
        if readyHead < 0 { readyTail = -1 }
        readyCount -= 1
        stream.pointee.isListed = false
        return slot
    }

    /// Sends what waits, a frame a stream in turn, until the connection's window is used up; or asks a stream's user for
    /// more. A slot may have changed hands since it was listed, so its state alone says what it needs.
    mutating func sendReady() -> Event {
        var idleVisits = 0
        while sendWindow > 0, idleVisits < readyCount {
            let slot = popReady()
            let stream = streams.slots + slot
            guard stream.pointee.number != 0, stream.pointee.sendWindow > 0 else { continue }
            if stream.pointee.queuedBytes > 0 {
                idleVisits = 0
                sendFromQueue(slot)
                let isThere = streams.slots[slot].number != 0
                if isThere, streams.slots[slot].isWaiting, streams.slots[slot].sendWindow > 0 { listReady(slot) }
            } else if stream.pointee.wantsWrite {
                guard output.count < limits.outputBytesHigh else {
                    listReady(slot)
                    idleVisits += 1
                    continue
                }
                stream.pointee.wantsWrite = false
                let capacity = min(stream.pointee.sendWindow, sendWindow, limits.outputBytesHigh)
                return .writable(StreamID(number: stream.pointee.number, slot: UInt32(slot)), capacity: capacity)
            }
        }
        return .nothing
    }

    /// One frame from a stream's queue, and its end if that was all.
    private mutating func sendFromQueue(_ slot: Int) {
        let stream = streams.slots + slot
        let number = stream.pointee.number
        let queued = stream.pointee.queuedBytes
        let length = min(queued, stream.pointee.sendWindow, sendWindow, peerFrameMax)
        let isLast = length == queued
        let end = stream.pointee.end
        let endsBody = isLast && end == .endOfBody
        writeFrameHeader(
            length: length, type: FrameType.data, flags: endsBody ? FrameFlags.endStream : 0, stream: number)
        output.append(stream.pointee.queue.bytes.baseAddress!, count: length)
        stream.pointee.queue.consume(length)
        stream.pointee.sendWindow -= length
        sendWindow -= length
        queuedTotal -= length
        guard isLast, end != .open else { return }
        switch end {
        case .open, .endOfBody: break
        case .okTrailers: writeOKTrailers(number)
        case .trailers: writeQueuedTrailers(stream)
        }
        localEnded(slot)
    }

    /// Status and message lie behind the queue's payload: encoded only now, as HPACK's indices may have moved meanwhile.
    mutating func queueTrailers(_ stream: UnsafeMutablePointer<Stream>, _ status: GRPCStatus, _ message: [UInt8]) {
        stream.pointee.end = .trailers
        stream.pointee.trailerBytes = 1 + message.count
        let room = stream.pointee.queue.reserve(1 + message.count)
        room.storeBytes(of: UInt8(status.rawValue), as: UInt8.self)
        message.withUnsafeBytes { bytes in
            if let address = bytes.baseAddress { (room + 1).copyMemory(from: address, byteCount: bytes.count) }
        }
        stream.pointee.queue.advance(1 + message.count)
    }

    private mutating func writeQueuedTrailers(_ stream: UnsafeMutablePointer<Stream>) {
        let bytes = Array(stream.pointee.queue.bytes)
        let status = GRPCStatus(rawValue: Int(bytes[0])) ?? .unknown
        stream.pointee.queue.consume(bytes.count)
        stream.pointee.trailerBytes = 0
        writeTrailers(stream.pointee.number, status, Array(bytes.dropFirst()))
    }
}
