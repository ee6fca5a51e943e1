internal import NIOCore
internal import StrakeFuzzing
internal import StrakePeers
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import Testing

struct FrameTests {
    private let payloadBytesMax = 4_096

    private func frame(_ type: FrameType, _ payload: [UInt8]) -> [UInt8] {
        var buffer = ByteBuffer()
        Frame.append(type, payloadBytes: payload.count, to: &buffer) { writer in
            for byte in payload { writer.add(byte) }
        }
        return [UInt8](buffer.readableBytesView)
    }

    /// All frames of the bytes, given to a parser in the pieces that `cut` says.
    private func parse(
        _ bytes: [UInt8], cut: (inout SeededGenerator) -> Int, _ random: inout SeededGenerator
    ) throws(PeerProtocolError) -> [(FrameType, [UInt8])] {
        var parser = FrameParser(payloadBytesMax: payloadBytesMax)
        var frames: [(FrameType, [UInt8])] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(cut(&random))
            rest = rest.dropFirst(piece.count)
            parser.add(ByteBuffer(bytes: piece))
            while let frame = try parser.next() {
                frames.append((frame.type, [UInt8](frame.payload.readableBytesView)))
            }
        }
        return frames
    }

    @Test func `frames are the same however they come split`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "split frames"))
        for _ in 0..<300 {
            let sent = (0..<random.below(20)).map { _ in
                (FrameType.allCases[random.below(FrameType.allCases.count)], random.bytes(upTo: 300))
            }
            let bytes = sent.flatMap { frame($0.0, $0.1) }
            let pieceMax = 1 + random.below(400)
            let found = try parse(bytes, cut: { 1 + $0.below(pieceMax) }, &random)
            #expect(found.map(\.0) == sent.map(\.0) && found.map(\.1) == sent.map(\.1))
        }
    }

    @Test func `the layout is the documented one`() {
        // The checksum was computed over the first 8 bytes and the payload with another implementation of CRC-32C.
        #expect(frame(.ask, [1, 2, 3]).prefix(8) == [3, 0, 0, 0, 2, 0, 0, 0])
        #expect(frame(.ask, [1, 2, 3]).suffix(3) == [1, 2, 3])
        #expect(Array(frame(.ask, [1, 2, 3])[8..<12]) == [0xbe, 0xd0, 0xfd, 0x57])
    }

    @Test func `any flipped bit of a frame is noticed`() {
        var random = SeededGenerator(seed: 1)
        let bytes = frame(.message, Array(0..<50))
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // A longer length waits for bytes that do not come.
            let frames = try? parse(damaged, cut: { _ in 1_000 }, &random)
            #expect(frames.map(\.isEmpty) ?? true, "bit \(bit)")
        }
    }

    @Test func `a frame above the bound is refused by its header`() {
        var parser = FrameParser(payloadBytesMax: payloadBytesMax)
        parser.add(ByteBuffer(bytes: frame(.message, [UInt8](repeating: 0, count: payloadBytesMax + 1)).prefix(12)))
        #expect(throws: PeerProtocolError.frameTooLong(bytes: payloadBytesMax + 1, max: payloadBytesMax)) {
            try parser.next()
        }
    }

    @Test func `damaged streams and greetings never trap`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged streams"))
        let frames = (0..<100).map { _ in frame(.message, random.bytes(upTo: 100)) + frame(.ping, random.bytes(upTo: 9))
        }
        let hellos = (0..<100).map { _ in Self.hello(&random).encoded() }
        let answers = HandshakeTests.verdicts.map {
            HelloAnswer($0, cluster: random.next(), member: MemberID(rawValue: random.next())).encoded()
        }
        var refused = 0
        for number in 0..<FuzzCases.count {
            let corpus = [frames, hellos, answers][number % 3]
            var bytes = corpus[random.below(corpus.count)]
            Damage(corpus: corpus).apply(to: &bytes, &random)
            do {
                switch number % 3 {
                case 0: _ = try parse(bytes, cut: { 1 + $0.below(40) }, &random)
                case 1:
                    _ = try bytes.withUnsafeBytes { try Hello(decoding: $0) }
                default:
                    _ = try bytes.withUnsafeBytes { try HelloAnswer(decoding: $0) }
                }
            } catch is PeerProtocolError {
                refused += 1
            }
        }
        #expect(refused > FuzzCases.count * 3 / 10)
    }

    static func hello(_ random: inout SeededGenerator) -> Hello {
        Hello(
            stream: StreamKind.allCases[random.below(3)], cluster: random.next(),
            from: MemberID(rawValue: random.next() | 1), to: MemberID(rawValue: random.next()),
            urls: (0..<random.below(4)).map { "http://h\($0):2380" })
    }
}

struct HandshakeTests {
    static let verdicts: [HelloAnswer.Verdict] = [
        .accepted, .unknownVersion, .wrongCluster, .wrongMember, .removed, .busy, .malformed,
    ]

    @Test func `a greeting is read as it was written`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "greetings"))
        for _ in 0..<200 {
            let hello = FrameTests.hello(&random)
            #expect(try hello.encoded().withUnsafeBytes { try Hello(decoding: $0) } == hello)
        }
    }

    @Test(arguments: verdicts)
    func `an answer is read as it was written`(verdict: HelloAnswer.Verdict) throws {
        let answer = HelloAnswer(verdict, cluster: 0xc1, member: MemberID(rawValue: 7))
        #expect(try answer.encoded().withUnsafeBytes { try HelloAnswer(decoding: $0) } == answer)
    }

    @Test func `an answer of a later version says only that`() throws {
        var bytes = HelloAnswer(.accepted, cluster: 1, member: MemberID(rawValue: 7)).encoded()
        bytes[8] = 9
        let answer = try bytes.withUnsafeBytes { try HelloAnswer(decoding: $0) }
        #expect(answer.verdict == .unknownVersion && answer.version == 9)
    }

    @Test(arguments: [
        ("http://10.0.0.1:2380", "10.0.0.1", 2380), ("http://[::1]:80", "::1", 80), ("http://node-3:1", "node-3", 1),
    ])
    func `a peer URL names a host and a port`(text: String, host: String, port: Int) throws {
        let url = try PeerURL(text)
        #expect(url.host == host && url.port == port && url.text == text)
    }

    @Test(arguments: [
        ("ftp://a:1", "the scheme ftp"), ("unix://a", "the scheme unix"), ("a:1", "form http://host:port"),
        ("http://a", "form http://host:port"), ("http://a:99999", "form http://host:port"),
        ("http://a:1/x", "form http://host:port"), ("http://::1:80", "without brackets"),
    ])
    func `what is no peer URL is refused with a reason`(text: String, reason: String) {
        let problem = #expect(throws: PeerURL.Problem.self) { try PeerURL(text) }
        #expect(problem?.description.contains(reason) == true && problem?.description.contains(text) == true)
    }
}
