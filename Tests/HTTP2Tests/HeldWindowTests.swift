internal import StrakeHTTP2
internal import Testing

/// Clients that have no room, and calls that a server has not looked at.
@Suite struct HeldWindowTests {
    @Test func `a held window stops a stream after what was allowed, and no other`() throws {
        let window = 100_000
        let client = TestClient { $0.streamWindowBytes = window }
        let server = TestServer(.nothing)
        let (held, other) = (try #require(client.call([1])), try #require(client.call([2])))
        client.connection.holdWindow(held, true)
        exchange(client, server)
        let message = [UInt8](repeating: 7, count: 10_000)
        for _ in 0..<50 {
            server.send(held.number, message)
            server.send(other.number, message)
            exchange(client, server)
        }
        #expect(client.messages[other.number]?.count == 50)
        // Nine whole ones fit into the window; the tenth waits for it.
        #expect(client.messages[held.number]?.count == 9)
        client.connection.holdWindow(held, false)
        exchange(client, server)
        #expect(client.messages[held.number]?.count == 50)
    }

    @Test func `a refused stream was not looked at, a reset one may have been`() throws {
        let client = TestClient.ready()
        let (refused, reset) = (try #require(client.call([1])), try #require(client.call([2])))
        client.receive(Wire.reset(refused.number, ErrorCode.refusedStream.rawValue))
        #expect(client.statuses[refused.number] == .unavailable && client.connection.isCallUnprocessed)
        client.receive(Wire.reset(reset.number, ErrorCode.cancel.rawValue))
        #expect(client.statuses[reset.number] == .cancelled && !client.connection.isCallUnprocessed)
    }

    @Test func `what a GOAWAY passes over was not looked at`() throws {
        let client = TestClient.ready()
        let (first, second) = (try #require(client.call([1])), try #require(client.call([2])))
        client.receive(Wire.frame(7, stream: 0, Wire.bigEndian(first.number) + Wire.bigEndian(0)))
        #expect(client.statuses[first.number] == nil)
        #expect(client.statuses[second.number] == .unavailable && client.connection.isCallUnprocessed)
    }
}
