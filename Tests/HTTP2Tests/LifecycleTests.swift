internal import StrakeHTTP2
internal import StrakeSeededGenerator
internal import Testing

/// Shutting down, being shut down, and being flooded.
struct LifecycleTests {
    @Test func `a server drains: it announces, takes what is on the way, finishes, and says so`() {
        let server = TestServer.ready()
        server.receive(Wire.call(1))
        server.connection.shutDown()
        let announced = server.frames()
        #expect(announced.map(\.type) == [7, 6])
        #expect(announced[0].word(at: 0) == 0x7FFF_FFFF && announced[0].code == 0)
        // On the way before the client read the GOAWAY.
        server.receive(Wire.call(3))
        server.receive(Wire.frame(6, flags: 1, stream: 0, announced[1].payload))
        let last = server.frames()
        #expect(last.map(\.type) == [7])
        #expect(last[0].word(at: 0) == 3)
        server.receive(Wire.call(5) + Wire.data(5, Wire.message([1]), end: true))
        #expect(server.frames().isEmpty)
        #expect(server.log == ["call 1 method 0", "call 3 method 0"])
        server.connection.finish(server.streams[1]!)
        #expect(!server.connection.isDrained)
        server.connection.finish(server.streams[3]!)
        #expect(server.connection.isDrained)
        server.resume()
        server.resume()
        #expect(server.log.filter { $0 == "drained" }.count == 1)
    }

    @Test func `an idle server that is told twice does not wait for the client`() {
        let server = TestServer.ready()
        server.connection.shutDown()
        server.connection.shutDown()
        server.resume()
        #expect(server.log == ["drained"])
        #expect(server.frames().map(\.type) == [7, 6, 7])
    }

    @Test func `a client learns which of its calls a GOAWAY left out`() {
        let client = TestClient.ready()
        for _ in 0..<3 { _ = client.call([1]) }
        client.receive(Wire.frame(7, stream: 0, Wire.bigEndian(3) + Wire.bigEndian(0)))
        #expect(
            client.log == ["goAwayReceived(lastStream: 3, StrakeHTTP2.ErrorCode.noError)", "completed 5 unavailable"])
        #expect(client.connection.streamsAvailable == 0 && client.call([1]) == nil)
        client.receive(Wire.headers(1, [(":status", "200"), ("grpc-status", "0")], end: true))
        #expect(client.statuses[1] == .ok)
        #expect(client.connection.openStreams == 1)
    }

    @Test func `a client keeps to the peer's stream limit`() {
        let client = TestClient.ready()
        client.receive(Wire.settings([(3, 2)]))
        #expect(client.connection.streamsAvailable == 2)
        _ = client.call([1])
        _ = client.call([1])
        #expect(client.call([1]) == nil)
        client.receive(Wire.headers(1, [(":status", "200"), ("grpc-status", "0")], end: true))
        #expect(client.call([1])?.number == 5)
    }

    @Test func `slots are recycled, and old handles do nothing`() {
        let server = TestServer.ready()
        server.receive(Wire.call(1))
        let old = server.streams[1]!
        server.receive(Wire.reset(1) + Wire.call(3))
        #expect(server.streams[3]!.slot == old.slot)
        #expect(!server.connection.isOpen(old))
        #expect(server.connection.beginMessage(old, bytesMax: 5) == nil)
        #expect(!server.connection.finish(old))
        server.connection.reset(old, .cancel)
        server.connection.requestWrite(old)
        #expect(server.frames().isEmpty && server.connection.isOpen(server.streams[3]!))
    }

    @Test func `thousands of streams are told apart`() {
        let server = TestServer.ready(.nothing)
        var random = SeededGenerator(seed: 5)
        var open: Set<UInt32> = []
        var next: UInt32 = 1
        for _ in 0..<20_000 {
            if open.count < 3_000 && Bool.random(using: &random) {
                server.receive(Wire.call(next))
                open.insert(next)
                next += UInt32.random(in: 1...500, using: &random) * 2
            } else if let stream = open.randomElement(using: &random) {
                open.remove(stream)
                server.log = []
                server.receive(Wire.reset(stream))
                guard server.log.count == 1 else {
                    Issue.record("stream \(stream) was lost")
                    return
                }
            }
        }
        #expect(server.connection.openStreams == open.count)
        #expect(open.allSatisfy { server.connection.isOpen(server.streams[$0]!) })
    }

    // MARK: - Pings

    private static let second: UInt64 = 1_000_000_000

    @Test func `pings are answered, with their payload`() {
        let server = TestServer.ready()
        server.receive(Wire.ping(9))
        #expect(server.frames() == [ReadFrame(type: 6, flags: 1, stream: 0, payload: .init(repeating: 9, count: 8))])
        server.connection.sendPing(0x0102_0304_0506_0708)
        #expect(server.frames().map(\.payload) == [[1, 2, 3, 4, 5, 6, 7, 8]])
        server.receive(Wire.frame(6, flags: 1, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(server.log == ["pingAnswered(\(0x0102_0304_0506_0708 as UInt64))"])
    }

    @Test(
        "pings that come too often end in too_many_pings, as in grpc-go",
        arguments: [
            (true, 4, true), (true, 6, false),  // with a stream, every 4 or 6 s
            (false, 6, true), (false, 7_201, false),  // without, every 6 s or two hours
        ] as [(Bool, UInt64, Bool)])
    func pings(hasStream: Bool, seconds: UInt64, isRefused: Bool) {
        let server = TestServer.ready()
        if hasStream { server.receive(Wire.call(1)) }
        var answered = 0
        for _ in 0..<8 where !server.connection.isFailed {
            server.now += seconds * Self.second
            server.receive(Wire.ping())
            if !server.connection.isFailed { answered += 1 }
        }
        #expect(server.connection.isFailed == isRefused)
        // The first is free, two strikes are forgiven.
        if isRefused {
            #expect(answered == 3)
            let goAway = server.frames().last!
            #expect(goAway.code == 11)
            #expect(String(decoding: goAway.payload.dropFirst(8), as: UTF8.self) == "too_many_pings")
        }
    }

    @Test func `bandwidth probes between answers are free, however many there are`() {
        let server = TestServer.ready()
        server.receive(Wire.call(1))
        for _ in 0..<2 * FloodBudgets().pings.burst {
            server.send(1, [1])
            server.receive(Wire.windowUpdate(0, 6) + Wire.windowUpdate(1, 6) + Wire.ping())
            _ = server.take()
        }
        #expect(!server.connection.isFailed)
    }

    @Test func `a server's bandwidth probes between requests are free, its idle pings are not`() throws {
        let client = TestClient.ready()
        let stream = try #require(client.connection.open(client.say))
        for _ in 0..<2 * FloodBudgets().pings.burst {
            _ = [UInt8(1)].withUnsafeBytes { client.connection.sendMessage(stream, $0) }
            client.receive(Wire.windowUpdate(0, 6) + Wire.windowUpdate(1, 6) + Wire.ping())
            _ = client.take()
        }
        #expect(!client.connection.isFailed)
        for _ in 0..<2 * FloodBudgets().pings.burst where !client.connection.isFailed {
            client.receive(Wire.ping())
            _ = client.take()
        }
        #expect(client.connection.isFailed)
    }

    // MARK: - Floods

    @Test("floods end in ENHANCE_YOUR_CALM, after more than any real client sends", arguments: floodKinds)
    func floods(name: String, bytes: [UInt8], allowed: Int) {
        let server = TestServer.ready()
        server.receive(Wire.call(1) + Wire.call(3) + Wire.reset(3))
        var count = 0
        var frames: [ReadFrame] = []
        while !server.connection.isFailed && count < 200_000 {
            server.receive(bytes)
            if count % 100 == 0 || server.connection.isFailed { frames = server.frames() }
            count += 1
        }
        #expect((allowed - 5...allowed + 5).contains(count), "\(count)")
        #expect(frames.last?.code == 11)
    }

    @Test func `a budget comes back with time`() {
        let server = TestServer.ready()
        for _ in 0..<5_000 {
            server.now += 200_000_000
            server.receive(Wire.settings())
        }
        #expect(!server.connection.isFailed)
    }

    @Test func `rapid resets are cut off`() {
        let server = TestServer.ready()
        var stream: UInt32 = 1
        while !server.connection.isFailed && stream < 1_000_000 {
            server.receive(Wire.call(stream) + Wire.reset(stream))
            stream += 2
        }
        #expect(stream / 2 == 50_001)
        #expect(server.connection.openStreams <= 1)
    }

    @Test func `CONTINUATION is bounded in number and size`() {
        let many = TestServer.ready()
        many.receive(Wire.frame(1, stream: 1))
        for _ in 0..<200 { many.receive(Wire.frame(9, stream: 1)) }
        #expect(many.frames().last?.code == 11)
        let large = TestServer.ready()
        large.receive(Wire.frame(1, stream: 1))
        for _ in 0..<6 { large.receive(Wire.frame(9, stream: 1, .init(repeating: 0x82, count: 16_384))) }
        #expect(large.frames().last?.code == 11)
    }

    @Test func `a block that repeats a large entry costs no memory`() {
        // 4,000 bytes in the table, named again and again: 16 kB that would be 30 MB.
        let name = String(repeating: "n", count: 4_000)
        let server = TestServer.ready()
        server.receive(
            Wire.frame(1, flags: 5, stream: 1, Wire.block(Wire.getFields) + [0x40] + Wire.string(name) + [0]))
        for stream in [3, 5, 7] as [UInt32] {
            let block = Wire.block(Wire.getFields) + (0..<8_000).flatMap { _ in [0x7E, 0x00] as [UInt8] }
            server.receive(Wire.frame(1, flags: 5, stream: stream, block))
        }
        #expect(server.frames().map(\.type) == [1, 1, 1])
        #expect(server.log == ["request 1 /health", "end 1"])
        server.receive(Wire.frame(1, flags: 5, stream: 9, Wire.block(Wire.getFields) + [0xBE]))
        #expect(server.fields.last?.0 == name)
    }

    @Test func `a failed connection takes no more answers`() {
        let server = TestServer.ready()
        server.receive(Wire.call(1))
        server.connection.fail(.internalError, "test")
        #expect(server.frames().map(\.type) == [7])
        #expect(!server.connection.sendHeaders(server.streams[1]!))
        #expect(server.connection.beginReply(server.streams[1]!, bytesMax: 1) == nil)
        server.connection.shutDown()
        server.connection.sendPing(1)
        server.resume()
        #expect(server.connection.outputCount == 0 && server.log == ["call 1 method 0"])
    }
}

private let floodKinds: [(String, [UInt8], Int)] = [
    ("SETTINGS", Wire.settings(), 1_000),
    ("empty DATA", Wire.data(1, []), 10_000),
    ("PRIORITY", Wire.frame(2, stream: 9, [0, 0, 0, 1, 1]), 20_000),
    ("unknown frames", Wire.frame(0x77, stream: 0), 20_000),
    ("RST_STREAM", Wire.reset(3), 50_000),
]
