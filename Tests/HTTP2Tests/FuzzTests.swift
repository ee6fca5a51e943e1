internal import Glibc
internal import StrakeHTTP2
internal import Testing

/// Real conversations, damaged: whatever comes, an engine neither traps nor grows, and it ends in a state with a name.
@Suite struct FuzzTests {
    private static let shards = 8

    private static var caseCount: Int {
        getenv("STRAKE_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? 100_000
    }

    @Test("a server survives damaged conversations", arguments: 0..<shards)
    func server(shard: Int) {
        let corpus = Conversation.all().map(\.fromClient)
        for index in stride(from: shard, to: Self.caseCount * 3 / 4, by: Self.shards) {
            var random = SeededGenerator(seed: UInt64(index))
            let bytes = Mutator.damage(corpus, &random)
            if let complaint = Self.tryServer(bytes, &random) {
                Issue.record("case \(index): \(complaint)")
                return
            }
        }
    }

    @Test("a client survives damaged conversations", arguments: 0..<shards)
    func client(shard: Int) {
        let corpus = Conversation.all().map(\.fromServer)
        for index in stride(from: shard, to: Self.caseCount / 4, by: Self.shards) {
            var random = SeededGenerator(seed: UInt64(index) + 1 << 40)
            let bytes = Mutator.damage(corpus, &random)
            if let complaint = Self.tryClient(bytes, &random) {
                Issue.record("case \(index): \(complaint)")
                return
            }
        }
    }

    private static func tryServer(_ bytes: [UInt8], _ random: inout SeededGenerator) -> String? {
        let answers: [TestServer.Answer] = [.echo, .unary, .nothing]
        let server = TestServer(
            answers[Int(random.next() % 3)],
            configure: {
                $0.messageBytesMax = 100_000
                $0.assemblyBytesMax = 300_000
            })
        server.onWritable = { stream, capacity, connection in
            guard connection.beginBytes(stream, bytesMax: capacity) != nil else { return }
            connection.endBytes(stream, count: 0)
        }
        var written: [UInt8] = []
        var pieces = random
        for part in cut(bytes, by: { Int(pieces.next() % 3_000) + 1 }) {
            server.receive(part)
            server.now += 1_000_000
            written += server.take()
        }
        // What was opened is answered, as users would.
        for (index, stream) in server.streams.values.sorted(by: { $0.number < $1.number }).enumerated() {
            switch index % 4 {
            case 0: server.connection.finish(stream)
            case 1: server.connection.reset(stream, .cancel)
            case 2: server.connection.requestWrite(stream)
            default: _ = [9, 9].withUnsafeBytes { server.connection.sendMessage(stream, $0) }
            }
        }
        server.connection.shutDown()
        server.resume()
        let pending = server.connection.pendingBytes
        written += server.take()
        return judge(written, isFailed: server.connection.isFailed, log: server.log, pending: pending, fed: bytes.count)
    }

    private static func tryClient(_ bytes: [UInt8], _ random: inout SeededGenerator) -> String? {
        let client = TestClient(configure: {
            $0.messageBytesMax = 100_000
            $0.assemblyBytesMax = 300_000
        })
        // The requests that the conversation answers.
        for _ in 0..<8 { _ = client.call([1, 2, 3]) }
        _ = client.connection.open(client.get, endOfStream: true)
        var written = Array(client.take().dropFirst(Wire.magic.count))
        var pieces = random
        for part in cut(bytes, by: { Int(pieces.next() % 3_000) + 1 }) {
            client.receive(part)
            client.now += 1_000_000
            written += client.take()
        }
        _ = client.call([1])
        client.connection.shutDown()
        var handler = client
        client.connection.resumeWriting(handler: &handler)
        let pending = client.connection.pendingBytes
        written += client.take()
        return judge(written, isFailed: client.connection.isFailed, log: client.log, pending: pending, fed: bytes.count)
    }

    /// What is wrong with how a connection ended; nil if nothing.
    private static func judge(
        _ written: [UInt8], isFailed: Bool, log: [String], pending: Int, fed: Int
    ) -> String? {
        guard let frames = ReadFrame.all(written) else { return "the output is not made of frames" }
        let errors = frames.filter { $0.type == 7 && $0.code != 0 }
        if isFailed {
            guard errors.count == 1, frames.last == errors[0] else { return "failed without one last GOAWAY" }
            guard log.filter({ $0.hasPrefix("failed(") }).count == 1 else { return "failure not told once" }
        } else if !errors.isEmpty {
            return "GOAWAY of an error, but not failed"
        }
        // An echo is as long as what it answers; the engine's own answers are shorter than 200 bytes a frame.
        guard pending <= fed * 25 + 100_000 else { return "\(pending) bytes wait after \(fed) were read" }
        return nil
    }
}
