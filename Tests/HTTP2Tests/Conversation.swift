internal import StrakeHTTP2

/// What two engines said to each other.
struct Conversation {
    var fromClient: [UInt8] = []
    var fromServer: [UInt8] = []

    static func all() -> [Conversation] {
        [
            record(.unary) { client in
                for size in [0, 1, 20, 300, 5_000] { _ = client.call(bytes(size)) }
            },
            record(.echo) { client in
                for size in [40_000, 3, 70_000] {
                    let stream = client.connection.open(
                        client.say, extra: [HeaderField("token", "secret", isSensitive: true)])!
                    for part in [size, 5, 0] {
                        _ = bytes(part).withUnsafeBytes { client.connection.sendMessage(stream, $0) }
                    }
                    client.connection.endBody(stream)
                }
                client.connection.sendPing(77)
            },
            record(.nothing) { client in
                for index in 0..<6 {
                    let stream = client.call(bytes(10))!
                    if index % 2 == 0 { client.connection.reset(stream, .cancel) }
                }
                client.connection.shutDown()
            },
            record(.unary) { client in
                let stream = client.connection.open(client.get)!
                let body = bytes(1_000)
                client.connection.beginBytes(stream, bytesMax: 1_000)!.copyBytes(from: body)
                client.connection.endBytes(stream, count: 1_000)
                client.connection.endBody(stream)
                _ = client.connection.open(client.get, endOfStream: true)
            },
            byHand(),
        ]
    }

    static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 255) } }

    private static func record(_ answer: TestServer.Answer, _ act: (TestClient) -> Void) -> Conversation {
        let client = TestClient()
        let server = TestServer(answer)
        var conversation = Conversation()
        act(client)
        while client.connection.outputCount > 0 || server.connection.outputCount > 0 {
            let said = client.take()
            conversation.fromClient += said
            server.receive(said)
            server.resume()
            let answered = server.take()
            conversation.fromServer += answered
            client.receive(answered)
        }
        return conversation
    }

    /// Frames that our own engines do not make: padding, priorities, CONTINUATION, Huffman, changing SETTINGS.
    private static func byHand() -> Conversation {
        let block = Wire.block(Wire.callFields)
        var client = Wire.magic + Wire.settings([(1, 100), (4, 500), (5, 20_000), (3, 9)])
        client += Wire.frame(1, stream: 1, Array(block.prefix(20)))
        client += Wire.frame(9, stream: 1, Array(block[20..<50]))
        client += Wire.frame(9, flags: 4, stream: 1, Array(block[50...]))
        client += Wire.frame(1, flags: 0x2C, stream: 3, [4, 0, 0, 0, 1, 16] + block + [0, 0, 0, 0])
        client += Wire.frame(0, flags: 8, stream: 3, [5] + Wire.message([1, 2, 3]) + [0, 0, 0, 0, 0])
        client += Wire.frame(2, stream: 3, [0, 0, 0, 1, 5])
        client += Wire.windowUpdate(0, 1_000) + Wire.windowUpdate(3, 1_000) + Wire.ping()
        let huffman = HuffmanCode.encode(Array("/test.Echo/Stream".utf8))
        let coded = [0x44] + Wire.integer(huffman.count, prefixBits: 7, pattern: 0x80) + huffman
        client += Wire.frame(1, flags: 4, stream: 5, coded + Wire.block(Wire.callFields.filter { $0.0 != ":path" }))
        client += Wire.data(5, Wire.message(bytes(600)) + Wire.message([]), end: true)
        client += Wire.settings([(4, 0), (1, 4_096)]) + Wire.frame(4, flags: 1, stream: 0)
        client += Wire.headers(3, [("trailer", "x")], end: true)
        client += Wire.frame(1, flags: 5, stream: 7, [0x3F, 0xE1, 0x1F, 0x83, 0x86, 0xBE] + block)
        client += Wire.reset(1) + Wire.frame(7, stream: 0, .init(repeating: 0, count: 12))
        var server = Wire.settings([(3, 100), (4, 70_000)])
        server += Wire.headers(1, [(":status", "100")])
        server += Wire.headers(1, [(":status", "200"), ("content-type", "application/grpc+proto")])
        server += Wire.frame(0, flags: 8, stream: 1, [2] + Wire.message([9]) + [0, 0])
        server += Wire.headers(1, [("grpc-status", "5"), ("grpc-message", "no%20t")], end: true)
        server += Wire.reset(3, 7) + Wire.headers(5, [(":status", "503")], end: true)
        server +=
            Wire.headers(17, [(":status", "200"), ("content-length", "3")]) + Wire.data(17, [1, 2, 3], end: true)
        server += Wire.frame(7, stream: 0, Wire.bigEndian(9) + Wire.bigEndian(0)) + Wire.ping()
        return Conversation(fromClient: client, fromServer: server)
    }
}
