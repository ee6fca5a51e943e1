internal import StrakeFuzzing
internal import StrakeHTTP2
internal import StrakeSeededGenerator
internal import Testing

/// Conversations of the client engine, changed at random: whatever comes, the server ends in a state it defines.
struct FuzzTests {
    /// What a server may hold for one connection of this test: far below what unbounded growth would reach.
    static let pendingBytesMax = 4 << 20

    @Test func `no damaged conversation crashes the server, costs it much memory, or leaves it undefined`() {
        let conversations = Self.conversations()
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged conversations"))
        let damage = Damage(corpus: conversations)
        var failed = 0
        var alive = 0
        for number in 0..<FuzzCases.count {
            var bytes = conversations[number % conversations.count]
            // Damage that knows of frames gets further in.
            if random.chance(50) {
                FrameDamage.apply(to: &bytes, conversations, &random)
            } else {
                damage.apply(to: &bytes, &random)
            }
            let server = TestServer(.echo)
            var rest = bytes[...]
            while !rest.isEmpty {
                // Cut anywhere: between frames, within a header, in the preface.
                let count = min(rest.count, Int(random.next() % 200) + 1)
                server.receive(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
                if server.connection.pendingBytes > Self.pendingBytesMax {
                    Issue.record("case \(number): \(server.connection.pendingBytes) bytes pending")
                    return
                }
            }
            guard let frames = ReadFrame.all(server.take()) else {
                Issue.record("case \(number): the server's output is not whole frames")
                return
            }
            if server.connection.isFailed {
                failed += 1
                // A connection that failed has said so, last of all.
                #expect(frames.last?.type == 7, "case \(number)")
                server.receive(bytes)
                #expect(server.connection.outputCount == 0, "case \(number)")
            } else {
                alive += 1
                // One that did not still answers.
                server.receive([])
                server.connection.sendPing(1)
                #expect(server.connection.outputCount > 0, "case \(number)")
            }
        }
        print("\(FuzzCases.count) damaged conversations: \(failed) ended in GOAWAY, \(alive) went on")
        #expect(failed > FuzzCases.count / 20 && alive > FuzzCases.count / 20)
    }

    /// Real conversations, one way: unary calls, a stream of messages, plain HTTP, resets, long headers and messages.
    private static func conversations() -> [[UInt8]] {
        var all: [[UInt8]] = []
        for kind in 0..<6 {
            let client = TestClient()
            switch kind {
            case 0: for _ in 0..<3 { _ = client.call([1, 2, 3]) }
            case 1: _ = client.call([UInt8](repeating: 7, count: 20_000))
            case 2:
                let stream = client.connection.open(client.say)!
                for size in [0, 1, 100, 1_000] {
                    _ = [UInt8](repeating: 5, count: size).withUnsafeBytes {
                        client.connection.sendMessage(stream, $0)
                    }
                }
                _ = client.connection.endBody(stream)
            case 3: _ = client.connection.open(client.get, endOfStream: true)
            case 4:
                let extra = HeaderField("x-long", String(repeating: "header ", count: 300))
                let stream = client.connection.open(client.say, extra: [extra])!
                client.connection.reset(stream, .cancel)
                _ = client.call([9])
            default:
                client.connection.sendPing(42)
                _ = client.call([])
            }
            all.append(client.take())
        }
        return all
    }
}
