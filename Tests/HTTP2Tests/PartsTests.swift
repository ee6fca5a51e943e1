internal import StrakeHTTP2
internal import StrakeSeededGenerator
internal import Testing

/// Messages that a client takes while they come.
@Suite struct PartsTests {
    private static let partsAbove = 1_000

    private func open(_ client: TestClient) throws -> StreamID {
        let stream = try #require(client.connection.open(client.say, partsAbove: Self.partsAbove))
        _ = client.connection.sendMessage(stream, UnsafeRawBufferPointer(start: nil, count: 0))
        _ = client.connection.endBody(stream)
        return stream
    }

    @Test func `long messages come in parts and others whole, however the bytes are cut`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "messages in parts"))
        for _ in 0..<200 {
            // Longer ones than are taken whole of any call.
            let client = TestClient { $0.messageBytesMax = 2_000 }
            let server = TestServer(.nothing)
            let (stream, other) = (try open(client), try #require(client.call([1])))
            exchange(client, server)
            let lengths = (0..<5).map { _ in
                [0, 1, Self.partsAbove, Self.partsAbove + 1, random.below(100_000)][random.below(5)]
            }
            let sent = lengths.map { random.bytes(count: $0) }
            for message in sent {
                server.send(stream.number, message)
                server.send(other.number, [1, 2, 3])
            }
            server.connection.finish(stream)
            exchange(client, server) { 1 + random.below(20_000) }
            let whole = sent.filter { $0.count <= Self.partsAbove }
            let long = sent.filter { $0.count > Self.partsAbove }
            #expect(client.messages[stream.number] ?? [] == whole)
            #expect(client.parts[stream.number] ?? [] == long.flatMap(\.self))
            // What is to come falls to zero once a message, and nothing comes empty.
            let rests = client.rests[stream.number] ?? []
            #expect(rests.filter { $0 == 0 }.count == long.count)
            #expect(zip(rests, rests.dropFirst()).allSatisfy { $0 == 0 || $1 < $0 })
            #expect(client.statuses[stream.number] == .ok)
            #expect(client.messages[other.number]?.count == 5 && client.parts[other.number] == nil)
        }
    }

    @Test(
        "a call that ends before its message has does not end well",
        arguments: [
            (Wire.headers(1, [("grpc-status", "0")], end: true), GRPCStatus.internal),
            (Wire.headers(1, [("grpc-status", "15")], end: true), .dataLoss),
            (Wire.data(1, [], end: true), .internal), (Wire.reset(1), .cancelled),
        ])
    func cutOff(end: [UInt8], status: GRPCStatus) throws {
        let client = TestClient.ready()
        let stream = try open(client)
        let headers = Wire.headers(1, [(":status", "200"), ("content-type", "application/grpc")])
        let message = Wire.message([UInt8](repeating: 7, count: 5_000))
        client.receive(headers + Wire.data(1, Array(message[..<3_005])) + end)
        #expect(client.parts[stream.number]?.count == 3_000)
        #expect(client.rests[stream.number] == [2_000])
        #expect(client.statuses[stream.number] == status)
    }

    @Test func `a client that takes no more of a long message is sent no more than the window`() throws {
        let client = TestClient { $0.streamWindowBytes = 100_000 }
        let server = TestServer(.nothing)
        let stream = try open(client)
        client.connection.holdWindow(stream, true)
        exchange(client, server)
        server.send(stream.number, [UInt8](repeating: 7, count: 1_000_000))
        exchange(client, server)
        #expect(client.parts[stream.number]?.count == 100_000 - 5)
        client.connection.holdWindow(stream, false)
        exchange(client, server)
        #expect(client.parts[stream.number]?.count == 1_000_000)
    }
}
