/// Frames written and read by hand: what the tests say to an engine, and what they hear.
enum Wire {
    static let magic = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
        let length = payload.count
        let head = [UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, flags]
        return head + bigEndian(stream) + payload
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }

    static func settings(_ pairs: [(UInt16, UInt32)] = []) -> [UInt8] {
        frame(4, stream: 0, pairs.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xFF)] + bigEndian($0.1) })
    }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        frame(8, stream: stream, bigEndian(increment))
    }

    static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] { frame(3, stream: stream, bigEndian(code)) }
    static func ping(_ byte: UInt8 = 1, ack: Bool = false) -> [UInt8] {
        frame(6, flags: ack ? 1 : 0, stream: 0, [UInt8](repeating: byte, count: 8))
    }

    static func data(_ stream: UInt32, _ payload: [UInt8], end: Bool = false) -> [UInt8] {
        frame(0, flags: end ? 1 : 0, stream: stream, payload)
    }

    static func message(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] {
        [flag] + bigEndian(UInt32(bytes.count)) + bytes
    }

    /// A header block of literals that no table keeps.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0x00] + string(name) + string(value) }
    }

    static func string(_ text: String) -> [UInt8] { integer(text.utf8.count, prefixBits: 7, pattern: 0) + text.utf8 }

    static func integer(_ value: Int, prefixBits: Int, pattern: UInt8) -> [UInt8] {
        let limit = 1 << prefixBits - 1
        guard value >= limit else { return [pattern | UInt8(value)] }
        var out = [pattern | UInt8(limit)]
        var rest = value - limit
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    static func headers(_ stream: UInt32, _ fields: [(String, String)], end: Bool = false) -> [UInt8] {
        frame(1, flags: 4 | (end ? 1 : 0), stream: stream, block(fields))
    }

    static let callFields: [(String, String)] = [
        (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Say"), (":authority", "localhost"),
        ("content-type", "application/grpc"), ("te", "trailers"),
    ]

    static func callFields(replacing name: String, by value: String?) -> [(String, String)] {
        callFields.filter { $0.0 != name } + (value.map { [(name, $0)] } ?? [])
    }

    static func call(_ stream: UInt32, end: Bool = false) -> [UInt8] { headers(stream, callFields, end: end) }

    static let getFields: [(String, String)] = [(":method", "GET"), (":scheme", "http"), (":path", "/health")]
}

struct ReadFrame: Equatable {
    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    var code: UInt32 { word(at: type == 7 ? 4 : 0) }

    func word(at offset: Int) -> UInt32 {
        payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// All the frames in `bytes`; nil if they do not come out even.
    static func all(_ bytes: [UInt8]) -> [ReadFrame]? {
        var frames: [ReadFrame] = []
        var offset = 0
        while offset < bytes.count {
            guard bytes.count - offset >= 9 else { return nil }
            let length = Int(bytes[offset]) << 16 | Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2])
            guard bytes.count - offset - 9 >= length else { return nil }
            let stream = bytes[offset + 5..<offset + 9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append(
                ReadFrame(
                    type: bytes[offset + 3], flags: bytes[offset + 4], stream: stream,
                    payload: Array(bytes[offset + 9..<offset + 9 + length])))
            offset += 9 + length
        }
        return frames
    }
}
