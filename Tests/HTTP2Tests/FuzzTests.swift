internal import Glibc
internal import StrakeHTTP2
internal import StrakeSeededGenerator
internal import Testing

/// Conversations of the client engine, changed at random: whatever comes, the server ends in a state it defines.
struct FuzzTests {
    /// Mutated inputs; `STRAKE_FUZZ_CASES` sets another number.
    static let cases = getenv("STRAKE_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? 100_000
    /// What a server may hold for one connection of this test: far below what unbounded growth would reach.
    static let pendingBytesMax = 4 << 20

    @Test func `no mutated conversation crashes the server, costs it much memory, or leaves it undefined`() {
        let conversations = Self.conversations()
        var random = SplitMix(state: 20_261_123)
        var failed = 0
        var alive = 0
        for number in 0..<Self.cases {
            let bytes = Self.mutated(conversations[number % conversations.count], with: conversations, &random)
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
        print("\(Self.cases) mutated conversations: \(failed) ended in GOAWAY, \(alive) went on")
        #expect(failed > Self.cases / 20 && alive > Self.cases / 20)
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

    private static func mutated(
        _ bytes: [UInt8], with others: [[UInt8]], _ random: inout SplitMix
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int(random.next() % 4) + 1 {
            guard !bytes.isEmpty else { return others[0] }
            let position = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 6 {
            case 0: bytes[position] ^= 1 << UInt8(random.next() % 8)
            case 1: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 2: bytes.remove(at: position)
            case 3: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
            case 4: bytes.removeLast(min(bytes.count, Int(random.next() % 64)))
            default:
                let other = others[Int(random.next() % UInt64(others.count))]
                bytes.replaceSubrange(position..., with: other.suffix(from: min(24, other.count)))
            }
        }
        return bytes
    }

    private struct SplitMix {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
