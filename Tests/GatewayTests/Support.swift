import StrakeGateway

func route(_ path: String) -> GatewayRoute { GatewayRoute.find(GatewayRoute.prefix + path)! }

/// The request that a whole body stands for, as the shell has it made.
func request(_ path: String, _ body: some Sequence<UInt8>) throws(GatewayError) -> [UInt8] {
    var values: [[UInt8]] = []
    var reader = RequestBody(bytesMax: 1 << 20)
    try append(Array(body), to: &reader) { values.append($0) }
    if let last = try reader.end() { values.append(last) }
    guard let first = values.first else { return [] }
    return try route(path).request(json: first)
}

func append(
    _ bytes: [UInt8], to body: inout RequestBody, _ found: ([UInt8]) throws(GatewayError) -> Void
) throws(GatewayError) {
    try bytes.withUnsafeBufferPointer { buffer throws(GatewayError) in
        try body.append(UnsafeRawBufferPointer(buffer), found)
    }
}

/// What the refusal of a body says.
func refusal(_ path: String, _ body: String) -> String {
    do throws(GatewayError) {
        return "accepted: \(hex(try request(path, body.utf8)))"
    } catch {
        return error.message
    }
}

func answer(_ path: String, _ message: [UInt8]) throws(GatewayError) -> String {
    let bytes = try message.withUnsafeBufferPointer { buffer throws(GatewayError) in
        try route(path).answer(protobuf: UnsafeRawBufferPointer(buffer))
    }
    return String(decoding: bytes, as: UTF8.self)
}

func line(_ path: String, _ message: [UInt8]) throws(GatewayError) -> String {
    let bytes = try message.withUnsafeBufferPointer { buffer throws(GatewayError) in
        try route(path).line(protobuf: UnsafeRawBufferPointer(buffer))
    }
    return String(decoding: bytes, as: UTF8.self)
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

/// Bytes from hexadecimal digits; blanks between them do not count.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { $0 != " " }.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
