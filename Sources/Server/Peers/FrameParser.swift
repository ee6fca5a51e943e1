package import NIOCore

/// Cuts what a socket gives into frames, however it comes split.
package struct FrameParser {
    /// Memory that is set aside at once for a frame that has only begun: what a header promises need not come.
    private static let reservedBytesMax = 1 << 20

    private var pending = ByteBuffer()
    private let payloadBytesMax: Int

    package init(payloadBytesMax: Int) {
        self.payloadBytesMax = payloadBytesMax
    }

    package mutating func add(_ bytes: ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            var bytes = bytes
            pending.discardReadBytes()
            pending.writeBuffer(&bytes)
        }
    }

    package mutating func next() throws(PeerProtocolError) -> Frame? {
        if let frame = try Frame.read(from: &pending, payloadBytesMax: payloadBytesMax) { return frame }
        if pending.readableBytes == 0 {
            // Gives the socket's buffer back.
            pending = ByteBuffer()
        } else if let length = pending.getInteger(at: pending.readerIndex, endianness: .little, as: UInt32.self) {
            let missing = Frame.headerBytes + Int(length) - pending.readableBytes
            pending.reserveCapacity(minimumWritableBytes: max(0, min(missing, Self.reservedBytesMax)))
        }
        return nil
    }
}
