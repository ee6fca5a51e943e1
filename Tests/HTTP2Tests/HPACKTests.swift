internal import StrakeHTTP2
internal import StrakeSeededGenerator
internal import Testing

/// Header blocks as the engines read and write them.
@Suite struct HPACKTests {
    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { !$0.isWhitespace }
        return stride(from: 0, to: digits.count, by: 2).map { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)!
        }
    }

    /// The fields a server reads from each of some blocks, sent as requests one after the other.
    private static func requests(_ blocks: [[UInt8]]) -> [[String]] {
        let server = TestServer.ready()
        return blocks.enumerated().map { index, block in
            server.fields = []
            server.receive(Wire.frame(1, flags: 5, stream: UInt32(index * 2 + 1), block))
            return server.fields.map { "\($0.0): \($0.1)" }
        }
    }

    private static let requestLists = [
        [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
        [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
        [
            ":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com",
            "custom-key: custom-value",
        ],
    ]

    @Test func `the requests of RFC 7541 C.3 decode, without Huffman`() {
        let blocks = [
            "828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865",
            "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ]
        #expect(Self.requests(blocks.map(Self.bytes)) == Self.requestLists)
    }

    @Test func `the requests of RFC 7541 C.4 decode, with Huffman`() {
        let blocks = [
            "828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ]
        #expect(Self.requests(blocks.map(Self.bytes)) == Self.requestLists)
    }

    /// C.5 and C.6 assume a table of 256 bytes, hence evictions: a size update in the first block sets it.
    @Test(
        "the responses of RFC 7541 C.5 and C.6 decode through evictions",
        arguments: [
            [
                "3fe101 4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
                    + "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
                "4803333037c1c0bf",
                "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153"
                    + "444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f"
                    + "6e3d31",
            ],
            [
                "3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b"
                    + "97c8e9ae82ae43d3",
                "4883640effc1c0bf",
                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b"
                    + "3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            ],
        ])
    func responses(blocks: [String]) {
        let client = TestClient.ready()
        var lists: [[String]] = []
        for block in blocks {
            let stream = client.connection.open(client.get, endOfStream: true)!
            client.receive(Wire.frame(1, flags: 5, stream: stream.number, Self.bytes(block)))
            lists.append(client.fields.map { "\($0.0): \($0.1)" })
        }
        let common = ["cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT"]
        let location = "location: https://www.example.com"
        #expect(lists[0] == [":status: 302"] + common + [location])
        #expect(lists[1] == [":status: 307"] + common + [location])
        let cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
        #expect(
            lists[2] == [
                ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT", location,
                "content-encoding: gzip", cookie,
            ])
    }

    @Test(
        "strings of RFC 7541 C.4 and C.6 encode to their Huffman codes",
        arguments: [
            ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"), ("no-cache", "a8eb10649cbf"),
            ("custom-key", "25a849e95ba97d7f"), ("custom-value", "25a849e95bb8e8b4bf"), ("302", "6402"),
            ("Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"),
        ])
    func huffman(text: String, coded: String) {
        #expect(HuffmanCode.encode(Array(text.utf8)) == Self.bytes(coded))
    }

    @Test func `every symbol survives Huffman coding, alone and among others`() {
        // Not 0, 10 and 13, which no header value may have.
        let symbols = (1...255).map { UInt8($0) }.filter { $0 != 10 && $0 != 13 }
        for symbol in symbols {
            for value in [[symbol], [symbol, 0x61], [0x7A, symbol, symbol], [0xFE, symbol, 0x30, 0xFE]] {
                #expect(Self.value(huffman: HuffmanCode.encode(value)) == value)
            }
        }
        #expect(Self.value(huffman: HuffmanCode.encode(symbols)) == symbols)
    }

    @Test(
        "bad Huffman strings are COMPRESSION_ERROR",
        arguments: [
            [0xFF, 0xFF, 0xFF, 0xFF],  // EOS
            [0xFF],  // eight bits of padding
            [0x1F, 0xFF],  // "a", then eleven bits of padding
            [0x18],  // "a" (00011), then padding of zeros
            [0x7F, 0xFF, 0xFF, 0xFF, 0xFF],
            [0xFF, 0xFF, 0xFF, 0xFC],  // EOS and two bits
        ] as [[UInt8]])
    func badHuffman(coded: [UInt8]) {
        #expect(Self.value(huffman: coded) == nil)
    }

    /// What a request's field `x` reads as when sent Huffman-coded; nil if the connection failed.
    private static func value(huffman coded: [UInt8]) -> [UInt8]? {
        final class Reader: ServerHandler {
            var value: [UInt8]?
            func callOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {}
            func messageReceived(
                _ stream: StreamID, _ message: UnsafeRawBufferPointer, isLast: Bool, on connection: ServerConnection
            ) {}
            func requestOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {
                value = head.value(of: "x").map { Array($0) }
            }
            func endReceived(_ stream: StreamID, on connection: ServerConnection) {}
            func streamClosed(_ stream: StreamID, _ reason: CloseReason, on connection: ServerConnection) {}
            func connectionChanged(_ event: ConnectionEvent, on connection: ServerConnection) {}
        }
        var reader = Reader()
        let connection = ServerConnection(methods: TestServer.methods)
        let length = Wire.integer(coded.count, prefixBits: 7, pattern: 0x80)
        let block = Wire.block(Wire.getFields) + [0x00, 0x01, 0x78] + length + coded
        let bytes = Wire.magic + Wire.settings() + Wire.frame(1, flags: 5, stream: 1, block)
        bytes.withUnsafeBytes { connection.receive($0, now: 1, handler: &reader) }
        return reader.value
    }

    @Test(
        "malformed header blocks are COMPRESSION_ERROR",
        arguments: [
            "80",  // index 0
            "be",  // index 62 of an empty table
            "ff8080808001",  // index of 2^28
            "ffffffffffff",  // an integer without end
            "ff",  // a truncated integer
            "40",  // a literal without its name
            "4001",  // a name without its bytes
            "40017803",  // a value shorter than its length
            "3fe21f",  // a table larger than 4,096 (4,097)
            "8220",  // a size update behind a field
            "7f00",  // a literal with the name of index 63
        ])
    func malformed(hex: String) {
        let server = TestServer.ready()
        server.receive(Wire.frame(1, flags: 5, stream: 1, Self.bytes(hex)))
        let last = server.frames().last
        #expect(last?.type == 7)
        #expect(last?.code == 9)
        #expect(server.connection.isFailed)
    }

    @Test func `entries leave the table oldest first, and a size update empties it`() {
        // Two entries of 34 + 1,966 bytes fit into 4,096, the third pushes the first out.
        let value = String(repeating: "v", count: 1_966)
        func add(_ name: String) -> [UInt8] { [0x40] + Wire.string(name) + Wire.string(value) }
        let get = Wire.block(Wire.getFields)
        let lists = Self.requests([
            get + add("aa") + add("bb"), get + [0xBE, 0xBF], get + add("cc"), get + [0xBE, 0xBF],
            [0x20, 0x3F, 0xE1, 0x1F] + get, get + [0xBE],
        ])
        #expect(lists[1].suffix(2) == ["bb: \(value)", "aa: \(value)"])
        #expect(lists[3].suffix(2) == ["cc: \(value)", "bb: \(value)"])
        #expect(lists[4].count == 3)
        #expect(lists[5].isEmpty)
    }

    @Test func `an entry may take its name from the one it pushes out`() {
        let name = String(repeating: "n", count: 2_000)
        let get = Wire.block(Wire.getFields)
        let lists = Self.requests([
            get + [0x40] + Wire.string(name) + Wire.string(String(repeating: "1", count: 1_500)),
            get + [0x7E] + Wire.string(String(repeating: "2", count: 1_500)),
            get + [0xBE],
        ])
        #expect(lists[1].last == "\(name): " + String(repeating: "2", count: 1_500))
        #expect(lists[2].last == lists[1].last)
    }

    @Test func `a table that turns over for a long time stays right`() {
        let server = TestServer.ready()
        var random = SeededGenerator(seed: 7)
        var model = TableModel()
        for round in 0..<3_000 {
            var block = Wire.block(Wire.getFields)
            var expected: [(String, String)] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let value = String(repeating: "v", count: Int.random(in: 0...300, using: &random)) + "\(round)"
                expected.append(model.addField(to: &block, value: value, &random))
            }
            server.receive(Wire.frame(1, flags: 5, stream: UInt32(round * 2 + 1), block))
            let seen = server.fields.dropFirst(3).map { "\($0.0): \($0.1)" }
            guard seen == expected.map({ "\($0.0): \($0.1)" }) else {
                Issue.record("round \(round)")
                return
            }
            server.connection.reset(server.streams[UInt32(round * 2 + 1)]!, .cancel)
            _ = server.take()
        }
        // What was pushed out is gone.
        let beyond = Wire.integer(62 + model.fields.count, prefixBits: 7, pattern: 0x80)
        server.receive(Wire.frame(1, flags: 5, stream: 9_001, Wire.block(Wire.getFields) + beyond))
        #expect(server.frames().last?.code == 9)
    }

    /// The dynamic table, the plain way.
    private struct TableModel {
        /// Newest first.
        var fields: [(String, String)] = []

        /// Writes a field in one of the ways there are, and says what it must read as.
        mutating func addField(
            to block: inout [UInt8], value: String, _ random: inout SeededGenerator
        ) -> (String, String) {
            let index = fields.indices.randomElement(using: &random)
            if let index, Int.random(in: 0..<3, using: &random) == 0 {
                block += Wire.integer(62 + index, prefixBits: 7, pattern: 0x80)
                return fields[index]
            }
            var field = ("n" + String(repeating: "x", count: Int.random(in: 0...200, using: &random)), value)
            if let index, Bool.random(using: &random) {
                block += Wire.integer(62 + index, prefixBits: 6, pattern: 0x40)
                field.0 = fields[index].0
            } else {
                block += [0x40] + Wire.string(field.0)
            }
            block += Wire.string(value)
            fields.insert(field, at: 0)
            while fields.reduce(0, { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }) > 4_096 { fields.removeLast() }
            return field
        }
    }

    @Test func `answers cost two bytes of headers and one of trailers once their fields are indexed`() {
        let server = TestServer.ready(.unary)
        for stream in [1, 3, 5] as [UInt32] {
            server.receive(Wire.call(stream) + Wire.data(stream, Wire.message([1]), end: true))
        }
        let headers = server.frames().filter { $0.type == 1 }
        #expect(headers.map { $0.payload.count }.suffix(2) == [2, 1])
    }

    @Test(
        "the peer's table size is honoured, also when it changes",
        arguments: [0, 60, 100, 4_096, 65_536] as [UInt32])
    func peerTableSize(size: UInt32) {
        let server = TestServer.ready(.unary, settings: [(1, size)])
        let client = TestClient()
        let limit = min(size, 4_096)
        _ = client.take()
        client.receive(Wire.settings())
        for round in 0..<4 {
            if round == 2 { server.receive(Wire.settings([(1, 0), (1, size)])) }
            let stream = client.call([1, 2, 3])!
            // The client's own block would need its preface; a plain one says the same.
            _ = client.take()
            server.receive(Wire.call(stream.number) + Wire.data(stream.number, Wire.message([1]), end: true))
            let bytes = server.take()
            client.receive(bytes)
            let headers = ReadFrame.all(bytes)!.filter { $0.type == 1 }
            // Told once after each change: to zero, then to the new size.
            let isTold = round == 0 ? limit < 4_096 : round == 2 && limit > 0
            #expect((headers[0].payload[0] == 0x20) == isTold)
            if limit < 60 { #expect(headers.allSatisfy { $0.payload.count > 10 }) }
            if limit > 104, round % 2 == 1 { #expect(headers[0].payload.count == 2) }
        }
        #expect(client.log == ["completed 1 ok", "completed 3 ok", "completed 5 ok", "completed 7 ok"])
    }
}
