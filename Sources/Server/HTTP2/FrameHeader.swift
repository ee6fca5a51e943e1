/// Frame types (RFC 9113 §6), as raw bytes: unknown ones must be ignored, not refused.
enum FrameType {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let resetStream: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
}

enum FrameFlags {
    static let endStream: UInt8 = 0x1
    static let ack: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let priority: UInt8 = 0x20
}

/// The nine bytes in front of every frame (RFC 9113 §4.1).
struct FrameHeader {
    static let byteCount = 9

    var length = 0
    var type: UInt8 = 0
    var flags: UInt8 = 0
    /// Without the reserved bit, which must be ignored.
    var stream: UInt32 = 0

    init() {}

    init(_ bytes: ByteView) {
        let first = bytes.bigEndian32(at: 0)
        length = Int(first >> 8)
        type = UInt8(truncatingIfNeeded: first)
        flags = bytes[4]
        stream = bytes.bigEndian32(at: 5) & 0x7FFF_FFFF
    }

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

    @inline(__always)
    static func store(
        at pointer: UnsafeMutableRawPointer, length: Int, type: UInt8, flags: UInt8, stream: UInt32
    ) {
        let first = UInt32(truncatingIfNeeded: length) << 8 | UInt32(type)
        pointer.storeBytes(of: first.bigEndian, as: UInt32.self)
        pointer.storeBytes(of: flags, toByteOffset: 4, as: UInt8.self)
        pointer.storeBytes(of: stream.bigEndian, toByteOffset: 5, as: UInt32.self)
    }
}
