package import NIOCore
internal import StrakeChecksum

/// What a frame carries.
package enum FrameType: UInt8, Hashable, Sendable, CaseIterable {
    /// One of raft's messages.
    case message = 1
    /// id u64 | request.
    case ask = 2
    /// id u64 | is there an answer u8 | answer.
    case answer = 3
    /// time u64, of the sender's own clock.
    case ping = 4
    /// The ping's time; 0 where nobody asked.
    case pong = 5
    /// The snapshot's metadata | the stream's name u64.
    case snapshotBegin = 6
    case snapshotPiece = 7
    /// bytes u64 | CRC-32C u32 of all pieces.
    case snapshotEnd = 8
    /// A `SnapshotReply` u8 | bytes of the stream that are there already u64 | a reason in words.
    case snapshotReply = 9
}

/// What the receiver of a snapshot says.
package enum SnapshotReply: UInt8, Hashable, Sendable {
    /// Send the pieces.
    case accepted = 0
    case refused = 1
    /// All pieces are here and durable.
    case done = 2
    case failed = 3
}

/// The unit of the streams between members:
///
///     payload length u32 | type u8 | zeros u8 u8 u8 | CRC-32C u32 of these 8 bytes and the payload | payload
package struct Frame {
    package static let headerBytes = 12
    private static let checkedHeaderBytes = 8

    package var type: FrameType
    package var payload: ByteBuffer

    /// Appends a frame whose payload `body` writes: exactly `payloadBytes`.
    package static func append(
        _ type: FrameType, payloadBytes: Int, to buffer: inout ByteBuffer, _ body: (inout ByteWriter) -> Void
    ) {
        let size = headerBytes + payloadBytes
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { memory in
            var header = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<headerBytes]))
            header.add(UInt32(payloadBytes))
            header.add(UInt32(type.rawValue))
            let payload = UnsafeMutableRawBufferPointer(rebasing: memory[headerBytes..<size])
            var writer = ByteWriter(payload)
            body(&writer)
            precondition(writer.count == payloadBytes, "\(writer.count) bytes of \(payloadBytes) in a frame")
            header.add(checksum(UnsafeRawBufferPointer(memory), payload: UnsafeRawBufferPointer(payload)))
            return size
        }
    }

    private static func checksum(_ header: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) -> UInt32 {
        var checksum = CRC32C()
        checksum.add(UnsafeRawBufferPointer(rebasing: header[..<checkedHeaderBytes]))
        checksum.add(payload)
        return checksum.value
    }

    /// The next frame of the bytes, which are consumed; nil while it is not whole.
    static func read(from buffer: inout ByteBuffer, payloadBytesMax: Int) throws(PeerProtocolError) -> Frame? {
        guard buffer.readableBytes >= headerBytes else { return nil }
        let (length, rawType, found) = buffer.withUnsafeReadableBytes { bytes in
            (
                Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))),
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)),
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            )
        }
        guard length <= payloadBytesMax else { throw .frameTooLong(bytes: length, max: payloadBytesMax) }
        guard buffer.readableBytes >= headerBytes + length else { return nil }
        let expected = buffer.withUnsafeReadableBytes { bytes in
            checksum(bytes, payload: UnsafeRawBufferPointer(rebasing: bytes[headerBytes..<(headerBytes + length)]))
        }
        guard expected == found else { throw .checksum(expected: expected, found: found) }
        guard rawType <= 0xff, let type = FrameType(rawValue: UInt8(rawType)) else { throw .malformed("frame type") }
        buffer.moveReaderIndex(forwardBy: headerBytes)
        guard let payload = buffer.readSlice(length: length) else { throw .truncated }
        return Frame(type: type, payload: payload)
    }

    /// Lends the payload to a reader.
    func read<Value>(
        _ body: (inout ByteReader) throws(PeerProtocolError) -> Value
    ) throws(PeerProtocolError) -> Value {
        try payload.withUnsafeReadableBytes { bytes throws(PeerProtocolError) in
            var reader = ByteReader(bytes)
            return try body(&reader)
        }
    }
}
