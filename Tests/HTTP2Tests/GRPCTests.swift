internal import StrakeHTTP2
internal import StrakeSeededGenerator
internal import Testing

/// What gRPC asks of its transport.
@Suite struct GRPCTests {
    private struct Reply {
        var status: Int
        var fields: [String: String]
        var reset: UInt32?
    }

    /// Sends a request of these fields and reads the engine's own answer, through a client engine.
    private static func refusal(_ fields: [(String, String)], end: Bool = false) -> Reply? {
        let server = TestServer.ready()
        server.receive(Wire.headers(1, fields, end: end))
        let bytes = server.take()
        guard let frames = ReadFrame.all(bytes), let head = frames.first, head.type == 1 else { return nil }
        #expect(head.flags == 5)
        #expect(server.log.isEmpty && server.connection.openStreams == 0)
        let client = TestClient.ready()
        _ = client.connection.open(client.get, endOfStream: true)
        client.receive(Wire.frame(1, flags: 5, stream: 1, head.payload))
        let reset = frames.first { $0.type == 3 }?.code
        return Reply(
            status: client.responses[1]!, fields: Dictionary(client.fields, uniquingKeysWith: { $1 }), reset: reset)
    }

    @Test(
        "requests that are no calls are answered as grpc-go does",
        arguments: [
            (":path", "/test.Echo/Nope", 200, "12", "unknown method Nope for service test.Echo"),
            (":path", "/test.Nope/Say", 200, "12", "unknown service test.Nope"),
            (":path", "/nothing", 200, "12", "malformed method name: \"/nothing\""),
            ("content-type", "text/plain", 415, "3", "invalid gRPC request content-type \"text/plain\""),
            ("content-type", "application/grpcx", 415, "3", "invalid gRPC request content-type \"application/grpcx\""),
            (":method", "GET", 405, "13", "Received a HEADERS frame with :method \"GET\" which should be POST"),
            ("grpc-timeout", "5", 400, "13", "malformed grpc-timeout: transport: timeout string is too short: \"5\""),
            (
                "grpc-timeout", "123456789S", 400, "13",
                "malformed grpc-timeout: transport: timeout string is too long: \"123456789S\""
            ),
            (
                "grpc-timeout", "5x", 400, "13",
                "malformed grpc-timeout: transport: timeout unit is not recognized: \"5x\""
            ),
            (
                "grpc-timeout", "xS", 400, "13",
                "malformed grpc-timeout: strconv.ParseInt: parsing \"x\": invalid syntax"
            ),
            ("grpc-encoding", "gzip", 200, "12", "grpc: Decompressor is not installed for grpc-encoding \"gzip\""),
        ])
    func refused(name: String, value: String, status: Int, grpcStatus: String, message: String) throws {
        var fields = Wire.callFields.map { $0.0 == name ? (name, value) : $0 }
        if !fields.contains(where: { $0.0 == name }) { fields.append((name, value)) }
        let reply = try #require(Self.refusal(fields))
        #expect(reply.status == status)
        #expect(reply.fields["grpc-status"] == grpcStatus)
        #expect(reply.fields["grpc-message"] == message)
        #expect(reply.fields["content-type"] == "application/grpc")
        #expect(reply.fields["grpc-accept-encoding"] == (name == "grpc-encoding" ? "identity" : nil))
        #expect(reply.reset == 0)
        // Nothing to reset when the request was complete.
        #expect(Self.refusal(fields, end: true)?.reset == nil)
    }

    @Test(
        "content types of gRPC",
        arguments: [
            "application/grpc", "application/grpc+proto", "application/grpc; charset=utf-8", "application/grpc+x",
        ])
    func contentTypes(type: String) {
        let server = TestServer.ready()
        server.receive(Wire.headers(1, Wire.callFields(replacing: "content-type", by: type)))
        #expect(server.log == ["call 1 method 0"])
    }

    @Test func `an answer has the content type of its call, with trailers only and without`() {
        let server = TestServer.ready(.unary)
        let client = TestClient.ready()
        // Each kind twice and in turn: the second time its block comes out of the encoder's table.
        let types = ["application/grpc", "application/grpc+proto", "application/grpc", "application/grpc+proto"]
        for (turn, type) in types.enumerated() {
            let call = UInt32(4 * turn + 1)
            let fields = Wire.callFields(replacing: "content-type", by: type)
            server.receive(Wire.headers(call, fields) + Wire.data(call, Wire.message([7]), end: true))
            server.receive(Wire.headers(call + 2, fields.map { $0.0 == ":path" ? ($0.0, "/nothing") : $0 }, end: true))
            let frames = server.frames()
            for stream in [call, call + 2] {
                let blocks = frames.filter { $0.type == 1 && $0.stream == stream }
                #expect(blocks.map(\.flags) == (stream == call ? [4, 5] : [5]))
                client.fields = []
                _ = client.connection.open(client.get, endOfStream: true)
                for block in blocks { client.receive(Wire.frame(1, flags: block.flags, stream: stream, block.payload)) }
                #expect(client.fields.first { $0.0 == "content-type" }?.1 == type)
            }
        }
    }

    @Test(
        "grpc-timeout is read in nanoseconds",
        arguments: [
            ("1n", 1), ("99999999u", 99_999_999_000), ("100m", 100_000_000), ("5S", 5_000_000_000),
            ("2M", 120_000_000_000), ("1H", 3_600_000_000_000), ("0S", 0), ("99999999H", UInt64(Int64.max)),
            (nil, UInt64.max),
        ] as [(String?, UInt64)])
    func timeouts(value: String?, nanoseconds: UInt64) {
        let server = TestServer.ready()
        server.receive(Wire.headers(1, Wire.callFields(replacing: "grpc-timeout", by: value)))
        #expect(server.timeout == nanoseconds)
    }

    @Test func `metadata is looked up by name`() {
        let server = TestServer.ready()
        server.receive(Wire.headers(1, Wire.callFields + [("hasleader", "true"), ("token", "a b"), ("token", "c")]))
        #expect(server.fields.contains { $0 == ("hasleader", "true") })
        #expect(server.fields.filter { $0.0 == "token" }.map(\.1) == ["a b", "c"])
    }

    @Test func `the method of an indexed path is the same as of a literal one`() {
        let server = TestServer.ready()
        let others = Wire.block(Wire.callFields.filter { $0.0 != ":path" && !$0.0.hasPrefix("te") })
        let path = [0x44] + Wire.string("/test.Echo/Stream")
        server.receive(Wire.frame(1, flags: 4, stream: 1, path + others))
        server.receive(Wire.frame(1, flags: 4, stream: 3, [0xBE] + others))
        #expect(server.log == ["call 1 method 1", "call 3 method 1"])
    }

    @Test func `messages come whole, however they are cut into frames and pieces`() {
        let messages: [[UInt8]] = [[], [1], Array(repeating: 7, count: 300), [], Array(repeating: 9, count: 40_000)]
        let body = messages.flatMap { Wire.message($0) }
        var random = SeededGenerator(seed: 3)
        for frameMax in [1, 2, 5, 100, 16_384] {
            var bytes: [UInt8] = Wire.call(1)
            var rest = body[...]
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...frameMax, using: &random))
                rest = rest.dropFirst(part.count)
                // Some of them padded.
                let padding = Int.random(in: 0...1, using: &random) * Int.random(in: 0...9, using: &random)
                if padding > 0 && part.count < 16_000 {
                    let payload = [UInt8(padding)] + part + [UInt8](repeating: 0, count: padding)
                    bytes += Wire.frame(0, flags: 8 | (rest.isEmpty ? 1 : 0), stream: 1, payload)
                } else {
                    bytes += Wire.data(1, Array(part), end: rest.isEmpty)
                }
            }
            for piece in [1, 3, 1_000, Int.max] {
                let server = TestServer.ready()
                for part in cut(bytes, by: { piece }) { server.receive(part) }
                #expect(server.messages[1] == messages)
                #expect(server.log.last == "end 1")
                #expect(server.log.dropLast().last == "message 1 40000 last")
            }
        }
    }

    @Test func `a message above the limit is RESOURCE_EXHAUSTED, in grpc-go's words`() {
        let server = TestServer.ready(configure: { $0.messageBytesMax = 1_000 })
        server.receive(Wire.call(1) + Wire.data(1, Wire.message(Array(repeating: 0, count: 1_001))))
        #expect(server.log == ["call 1 method 0", "closed 1 refused(StrakeHTTP2.GRPCStatus.resourceExhausted)"])
        let client = TestClient.ready()
        _ = client.connection.open(client.say)
        client.receive(server.take())
        #expect(client.statuses[1] == .resourceExhausted)
        #expect(client.grpcMessages[1] == "grpc: received message larger than max (1001 vs. 1000)")
        server.receive(Wire.call(3) + Wire.data(3, Wire.message(Array(repeating: 0, count: 1_000)), end: true))
        #expect(server.log.suffix(2) == ["message 3 1000 last", "end 3"])
    }

    @Test(
        "broken messages end their call with INTERNAL",
        arguments: [
            (Wire.data(1, [1, 0, 0, 0, 1, 5]), "grpc: compressed flag set with identity or empty encoding"),
            (Wire.data(1, [2, 0, 0, 0, 1, 5]), "grpc: received unexpected payload format 2"),
            (Wire.data(1, [0, 0, 0, 0, 2, 5], end: true), "unexpected EOF"),
            (Wire.data(1, [0, 0, 0], end: true), "unexpected EOF"),
        ])
    func brokenMessages(data: [UInt8], message: String) {
        let server = TestServer.ready()
        server.receive(Wire.call(1) + data)
        let client = TestClient.ready()
        _ = client.connection.open(client.say)
        client.receive(server.take())
        #expect(client.statuses[1] == .internal)
        #expect(client.grpcMessages[1] == message)
        #expect(server.connection.openStreams == 0 && !server.connection.isFailed)
    }

    @Test func `half-received messages are bounded together`() {
        let server = TestServer.ready(configure: { $0.assemblyBytesMax = 100_000 })
        let half = Array(Wire.message(Array(repeating: 0, count: 60_000)).prefix(16_000))
        for stream in stride(from: 1, through: 13, by: 2) {
            server.receive(Wire.call(UInt32(stream)) + Wire.data(UInt32(stream), half))
        }
        #expect(server.log.last == "closed 13 refused(StrakeHTTP2.GRPCStatus.resourceExhausted)")
        #expect(server.connection.openStreams == 6)
        // What one gives up or completes, another may have.
        for stream in stride(from: 101, through: 111, by: 2) {
            let number = UInt32(stream)
            server.receive(Wire.reset(number - 100) + Wire.call(number))
            let whole = Wire.message(Array(repeating: 0, count: 20_000))
            server.receive(Wire.data(number, Array(whole.prefix(16_000))) + Wire.data(number, Array(whole[16_000...])))
            #expect(server.log.last == "message \(number) 20000")
        }
        server.receive(Wire.call(115) + Wire.data(115, half))
        #expect(server.log.last == "call 115 method 0")
    }

    @Test func `an answer before the client's end is followed by RST_STREAM of NO_ERROR`() {
        let server = TestServer.ready(.unary)
        server.receive(Wire.call(1) + Wire.data(1, Wire.message([1])))
        #expect(server.frames().map(\.type) == [1, 0, 1, 3])
        // Go half-closes late and may reset afterwards.
        server.receive(Wire.data(1, [], end: true) + Wire.reset(1))
        #expect(server.frames().isEmpty && !server.connection.isFailed)
        server.receive(Wire.call(3) + Wire.data(3, Wire.message([1]), end: true))
        #expect(server.frames().map(\.type) == [1, 0, 1])
        #expect(server.log.last == "message 3 1 last")
    }

    @Test func `many messages share a DATA frame`() {
        let server = TestServer.ready()
        server.receive(Wire.call(1))
        for _ in 0..<100 { server.send(1, [1, 2, 3]) }
        let frames = server.frames()
        #expect(frames.map(\.type) == [1, 0])
        #expect(frames[1].payload == (0..<100).flatMap { _ in Wire.message([1, 2, 3]) })
    }

    @Test func `status and message reach the client, percent-encoded in between`() {
        let text = "etcdserver: 100% größer\n\u{7F}\u{1F600}"
        for isStarted in [false, true] {
            let server = TestServer.ready()
            server.receive(Wire.call(1))
            if isStarted { server.send(1, [5]) }
            server.connection.finish(server.streams[1]!, .failedPrecondition, message: text)
            let client = TestClient.ready()
            _ = client.connection.open(client.say)
            client.receive(server.take())
            #expect(client.statuses[1] == .failedPrecondition)
            #expect(client.grpcMessages[1] == text)
        }
    }

    @Test func `percent-encoding keeps printable ASCII and decodes anything`() {
        let all = String(String.UnicodeScalarView((0..<0x180).compactMap { Unicode.Scalar($0) }))
        let coded = PercentEncoding.encode(all)
        #expect(coded.allSatisfy { $0 >= 0x20 && $0 <= 0x7E })
        #expect(coded.withUnsafeBytes { PercentEncoding.decode($0) } == all)
        #expect(PercentEncoding.encode("a b~") == Array("a b~".utf8))
        #expect(PercentEncoding.encode("%\u{e9}") == Array("%25%C3%A9".utf8))
        #expect(Array("%zz%4%".utf8).withUnsafeBytes { PercentEncoding.decode($0) } == "%zz%4%")
    }

    @Test func `a header list above the limit is answered 431, and the connection lives`() {
        let server = TestServer.ready()
        let long = (0..<10).map { ("x\($0)", String(repeating: "v", count: 8_000)) }
        let block = Wire.block(Wire.callFields + long)
        var bytes = Wire.frame(1, stream: 1, Array(block.prefix(16_000)))
        for start in stride(from: 16_000, to: block.count, by: 16_000) {
            let part = Array(block[start..<min(start + 16_000, block.count)])
            bytes += Wire.frame(9, flags: start + 16_000 >= block.count ? 4 : 0, stream: 1, part)
        }
        server.receive(bytes)
        #expect(server.log.isEmpty)
        #expect(server.frames().map(\.type) == [1, 3])
        server.receive(Wire.call(3))
        #expect(server.log == ["call 3 method 0"])
    }

    @Test func `plain HTTP requests come with their body and are answered`() {
        let server = TestServer.ready()
        server.receive(
            Wire.headers(1, [(":method", "POST"), (":path", "/v3/kv/range"), ("content-type", "application/json")]))
        server.receive(Wire.data(1, Array("{\"key\"".utf8)) + Wire.data(1, Array(":1}".utf8), end: true))
        #expect(server.log == ["request 1 /v3/kv/range", "end 1"])
        #expect(server.bodies[1].map { String(decoding: $0, as: UTF8.self) } == "{\"key\":1}")
        let stream = server.streams[1]!
        server.connection.respond(stream, status: 201, headers: [HeaderField("x", "y")], endOfStream: false)
        let room = server.connection.beginBytes(stream, bytesMax: 10)!
        room.copyBytes(from: Array("ok".utf8))
        server.connection.endBytes(stream, count: 2)
        server.connection.endBody(stream)
        let client = TestClient.ready()
        _ = client.connection.open(client.get, endOfStream: true)
        let bytes = server.take()
        #expect(ReadFrame.all(bytes)!.map(\.type) == [1, 0])
        client.receive(bytes)
        #expect(client.responses[1] == 201)
        #expect(client.fields.map { "\($0)=\($1)" } == [":status=201", "x=y"])
        #expect(client.bodies[1] == Array("ok".utf8))
        #expect(client.log == ["end 1"])
    }

    @Test(
        "a client maps what is not gRPC to a status",
        arguments: [
            (Wire.headers(1, [(":status", "503")], end: true), GRPCStatus.unavailable),
            (Wire.headers(1, [(":status", "404"), ("content-type", "text/html")]), .unimplemented),
            (Wire.headers(1, [(":status", "200"), ("content-type", "text/html")]), .unknown),
            (Wire.headers(1, [(":status", "200"), ("grpc-status", "5")], end: true), .notFound),
            (Wire.headers(1, [(":status", "200"), ("grpc-status", "99")], end: true), .unknown),
            (Wire.headers(1, [("x", "y")], end: true), .internal),
            (Wire.reset(1, 7), .unavailable), (Wire.reset(1, 8), .cancelled), (Wire.reset(1, 11), .resourceExhausted),
            (Wire.reset(1, 2), .internal), (Wire.data(1, [1]), .internal),
            (Wire.frame(7, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]), .unavailable),
        ])
    func clientStatuses(bytes: [UInt8], status: GRPCStatus) {
        let client = TestClient.ready()
        _ = client.call([1])
        client.receive(bytes)
        #expect(client.statuses[1] == status)
        #expect(client.connection.openStreams == 0 && !client.connection.isFailed)
    }

    @Test func `a client's response may begin with interim headers and end in trailers`() {
        let client = TestClient.ready()
        _ = client.call([1])
        client.receive(
            Wire.headers(1, [(":status", "103"), ("link", "x")])
                + Wire.headers(1, [(":status", "200"), ("content-type", "application/grpc")])
                + Wire.data(1, Wire.message([4, 5]))
                + Wire.headers(1, [("grpc-status", "0")], end: true))
        #expect(client.messages[1] == [[4, 5]])
        #expect(client.log == ["completed 1 ok"])
    }
}
