internal import StrakeHTTP2
internal import StrakeSeededGenerator
internal import Testing

/// Windows in both directions.
@Suite struct FlowControlTests {
    /// A client that knows nothing but the rules: it counts what a server may send, and reads what it does.
    private struct WindowModel {
        var connection = 65_535
        var initial = 65_535
        var streams: [UInt32: Int] = [:]
        var bodies: [UInt32: [UInt8]] = [:]
        var ended: Set<UInt32> = []
        var violations: [String] = []

        mutating func read(_ bytes: [UInt8]) {
            for frame in ReadFrame.all(bytes)! {
                if frame.type == 0 {
                    connection -= frame.payload.count
                    streams[frame.stream]! -= frame.payload.count
                    // A window below zero may be kept there; nothing may be sent into it.
                    if !frame.payload.isEmpty && (connection < 0 || streams[frame.stream]! < 0) {
                        violations.append("stream \(frame.stream)")
                    }
                    if frame.payload.count > 16_384 { violations.append("frame too large") }
                    bodies[frame.stream, default: []] += frame.payload
                }
                if frame.type <= 1 && frame.flags & 1 == 1 { ended.insert(frame.stream) }
            }
        }
    }

    @Test("a server never passes a window and always delivers, whatever the updates", arguments: 1...60)
    func windows(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let server = TestServer.ready()
        var model = WindowModel()
        var expected: [UInt32: [UInt8]] = [:]
        var open: [UInt32] = []
        var next: UInt32 = 1
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where open.count < 6:
                server.receive(Wire.call(next))
                model.streams[next] = model.initial
                expected[next] = []
                open.append(next)
                next += 2
            case 1...4:
                guard let stream = open.randomElement(using: &random) else { continue }
                let size = Bool.random(using: &random) ? 40_000 : 50
                let message = (0..<Int.random(in: 0...size, using: &random)).map { UInt8($0 % 251) }
                server.send(stream, message)
                expected[stream]! += Wire.message(message)
            case 5:
                guard let stream = open.randomElement(using: &random) else { continue }
                server.connection.finish(server.streams[stream]!, .notFound, message: "x")
                open.removeAll { $0 == stream }
            case 6:
                // Up and down, so that windows become negative.
                let size = Int.random(in: 0...100_000, using: &random)
                server.receive(Wire.settings([(4, UInt32(size))]))
                for stream in model.streams.keys { model.streams[stream]! += size - model.initial }
                model.initial = size
            case 7:
                let more = Int.random(in: 1...50_000, using: &random)
                model.connection += more
                server.receive(Wire.windowUpdate(0, UInt32(more)))
            default:
                guard let stream = model.streams.keys.sorted().randomElement(using: &random) else { continue }
                let more = Int.random(in: 1...30_000, using: &random)
                model.streams[stream]! += more
                server.receive(Wire.windowUpdate(stream, UInt32(more)))
            }
            model.read(server.take())
            let queued = expected.reduce(0) { $0 + $1.value.count - (model.bodies[$1.key]?.count ?? 0) }
            #expect(server.connection.queuedBytesTotal == queued)
        }
        #expect(model.violations.isEmpty)
        for stream in open { server.connection.finish(server.streams[stream]!) }
        server.receive(Wire.windowUpdate(0, 1 << 30) + Wire.settings([(4, 1 << 30)]))
        model.read(server.take())
        for (stream, body) in expected { #expect(model.bodies[stream, default: []] == body) }
        #expect(model.ended == Set(expected.keys))
        #expect(server.connection.queuedBytesTotal == 0 && server.connection.openStreams == 0)
    }

    @Test("two engines understand each other, however the bytes are cut", arguments: 1...40)
    func engines(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let pieceMax = [1, 7, 100, 5_000, 1_000_000][seed % 5]
        let server = TestServer(.echo, configure: { $0.streamWindowBytes = 65_535 })
        let client = TestClient(configure: {
            $0.streamWindowBytes = 65_535
            $0.connectionWindowBytes = 65_535 * (seed % 3 + 1)
        })
        var expected: [UInt32: [[UInt8]]] = [:]
        var open: [StreamID] = []
        for _ in 0..<30 {
            let stream = client.connection.open(client.say)!
            open.append(stream)
            expected[stream.number] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let size = Int.random(in: 0...2, using: &random) == 0 ? 100_000 : 30
                let message = (0..<Int.random(in: 0...size, using: &random)).map { UInt8($0 % 253) }
                let target = open.randomElement(using: &random)!
                _ = message.withUnsafeBytes { client.connection.sendMessage(target, $0) }
                expected[target.number]!.append(message)
            }
            if Bool.random(using: &random) {
                let cut = Int.random(in: 1...pieceMax, using: &random)
                exchange(client, server, piece: { Int.random(in: 1...cut, using: &random) })
            }
            if open.count > 5 { client.connection.endBody(open.remove(at: 0)) }
        }
        for stream in open { client.connection.endBody(stream) }
        exchange(client, server, piece: { Int.random(in: 1...pieceMax, using: &random) })
        for (stream, messages) in expected {
            #expect(client.messages[stream, default: []] == messages)
            #expect(client.statuses[stream] == .ok)
        }
        #expect(client.connection.openStreams == 0 && server.connection.openStreams == 0)
        #expect(!client.connection.isFailed && !server.connection.isFailed)
    }

    @Test func `unread windows are given back in large steps`() {
        let server = TestServer.ready(configure: { $0.streamWindowBytes = 100_000 })
        server.receive(Wire.headers(1, Wire.getFields))
        for _ in 0..<100 { server.receive(Wire.data(1, [UInt8](repeating: 0, count: 10_000))) }
        let updates = server.frames().filter { $0.type == 8 && $0.stream == 1 }
        #expect(updates.map { $0.word(at: 0) } == Array(repeating: 50_000, count: 20))
    }

    @Test func `padding counts against the windows`() {
        let server = TestServer.ready(configure: { $0.streamWindowBytes = 65_535 })
        server.receive(Wire.headers(1, Wire.getFields))
        let padded = Wire.frame(0, flags: 8, stream: 1, [255] + [UInt8](repeating: 0, count: 255))
        for _ in 0..<128 { server.receive(padded) }
        #expect(server.frames().filter { $0.type == 8 }.map { $0.word(at: 0) } == [32_768])
    }

    @Test func `a stream that asks to write is told when, and how much`() {
        let server = TestServer.ready(settings: [(4, 1_000)], configure: { $0.outputBytesHigh = 50_000 })
        var told: [Int] = []
        server.onWritable = { _, capacity, _ in told.append(capacity) }
        server.receive(Wire.call(1))
        let stream = server.streams[1]!
        server.connection.requestWrite(stream)
        server.resume()
        #expect(told == [1_000])
        // Asked once, told once.
        server.receive(Wire.windowUpdate(1, 10))
        #expect(told == [1_000])
        #expect(server.connection.sendCapacity(stream) == 1_010)
        server.send(1, [UInt8](repeating: 0, count: 1_005))
        server.connection.requestWrite(stream)
        server.resume()
        #expect(told == [1_000] && server.connection.sendCapacity(stream) == 0)
        server.receive(Wire.windowUpdate(1, 70_000))
        #expect(told == [1_000, 50_000])
        // Nobody is asked for more while much waits to be written.
        server.send(1, [UInt8](repeating: 0, count: 60_000))
        server.connection.requestWrite(stream)
        server.resume()
        #expect(told.count == 2)
        _ = server.take()
        server.resume()
        #expect(told.last == 65_535 - 1_010 - 60_005)
    }

    @Test func `a message of 100 MiB goes out in slices and in little memory`() {
        let length = 100 << 20
        let server = TestServer()
        let client = TestClient()
        let stream = client.connection.open(client.say, endOfStream: true)!
        var produced = 0
        var pendingMax = 0
        server.onWritable = { stream, capacity, connection in
            let count = min(capacity, length - produced)
            let room = connection.beginBytes(stream, bytesMax: count)!
            room.initializeMemory(as: UInt8.self, repeating: UInt8(produced % 251))
            connection.endBytes(stream, count: count)
            produced += count
            pendingMax = max(pendingMax, connection.pendingBytes)
            if produced == length { connection.finish(stream) } else { connection.requestWrite(stream) }
        }
        server.receive(client.take())
        server.connection.beginLongMessage(server.streams[1]!, length: UInt32(length))
        server.connection.requestWrite(server.streams[1]!)
        server.resume()
        exchange(client, server)
        #expect(client.messages[stream.number]?.first?.count == length)
        #expect(client.statuses[stream.number] == .ok)
        #expect(pendingMax < 2 << 20)
    }

    @Test func `a slow reader is seen in the queued bytes, and a reset frees them`() {
        let server = TestServer.ready()
        server.receive(Wire.call(1))
        let stream = server.streams[1]!
        var sent = 0
        while server.connection.queuedBytes(stream) < 1 << 20 {
            server.send(1, [UInt8](repeating: 1, count: 995))
            sent += 1_000
        }
        #expect(server.connection.queuedBytes(stream) == sent - 65_535)
        #expect(server.connection.pendingBytes - server.connection.queuedBytesTotal < 70_000)
        // Its headers go out at once all the same, and other streams wait for the connection's window only.
        server.receive(Wire.call(3))
        server.send(3, [1])
        #expect(server.connection.queuedBytesTotal == sent - 65_535 + 6)
        server.receive(Wire.reset(1))
        #expect(server.connection.queuedBytesTotal == 6)
        #expect(server.log.last == "closed 1 reset(StrakeHTTP2.ErrorCode.cancel)")
    }

    @Test func `streams that wait for the connection take turns`() {
        let server = TestServer.ready(settings: [(4, 1 << 20)])
        server.receive(Wire.call(1) + Wire.call(3) + Wire.call(5))
        for stream in [1, 3, 5] as [UInt32] { server.send(stream, [UInt8](repeating: 0, count: 200_000)) }
        _ = server.take()
        server.receive(Wire.windowUpdate(0, 16_384 * 9))
        #expect(server.frames().map(\.stream) == [1, 3, 5, 1, 3, 5, 1, 3, 5])
    }

    @Test func `trailers wait for the queued messages before them`() {
        let server = TestServer.ready(settings: [(4, 10)])
        server.receive(Wire.call(1, end: true))
        server.send(1, [UInt8](repeating: 0, count: 10))
        server.connection.finish(server.streams[1]!, .aborted, message: "late")
        #expect(server.frames().map(\.type) == [1, 0])
        #expect(!server.connection.isOpen(server.streams[1]!) && server.connection.openStreams == 1)
        server.receive(Wire.windowUpdate(1, 4))
        #expect(server.frames().map(\.type) == [0])
        server.receive(Wire.windowUpdate(1, 1))
        let bytes = server.take()
        let frames = ReadFrame.all(bytes)!
        #expect(frames.map(\.type) == [0, 1])
        // END_STREAM comes with the trailers, not with the data.
        #expect(frames[0].flags & 1 == 0 && frames[1].flags & 1 == 1)
        let client = TestClient.ready()
        _ = client.call([])
        client.receive(Wire.frame(1, flags: 5, stream: 1, [0x88] + frames[1].payload))
        #expect(client.statuses[1] == .aborted && client.grpcMessages[1] == "late")
        #expect(server.connection.openStreams == 0)
    }
}
