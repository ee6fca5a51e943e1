extension Engine {
    var streamsAvailable: Int {
        guard failure == nil, goAwayLimit == .max, drain == .none else { return 0 }
        let numbersLeft = (Int(Int32.max) - Int(lastOwnStream)) / 2
        return max(0, min(Int(peerMaxStreams) - streams.count, numbersLeft))
    }

    mutating func openStream(_ template: Int, _ extra: [HeaderField], endOfStream: Bool) -> StreamID? {
        guard streamsAvailable > 0 else { return nil }
        let number = lastOwnStream == 0 ? 1 : lastOwnStream + 2
        lastOwnStream = number
        let slot = streams.insert(number)
        let stream = streams.slots + slot
        stream.pointee.isGRPC = templates[template].isGRPC
        stream.pointee.sendWindow = peerWindow
        stream.pointee.receiveWindow = limits.streamWindowBytes
        stream.pointee.headersSent = true
        stream.pointee.localEnded = endOfStream
        let start = beginHeaders(number, endStream: endOfStream)
        templates[template].append(to: &output, &encoder)
        for field in extra { encoder.encode(field, .without, into: &output) }
        endHeaders(number, endStream: endOfStream, start: start)
        return StreamID(number: number, slot: UInt32(slot))
    }
}
