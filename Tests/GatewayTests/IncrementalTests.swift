internal import Glibc
import StrakeGateway
import StrakeSeededGenerator
import Testing

/// Answers that become JSON while they come.
@Suite struct IncrementalTests {
    private static let cases = getenv("STRAKE_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? 20_000

    /// What `pieces` become, one after the other.
    private func incremental(
        _ path: String, _ pieces: [ArraySlice<UInt8>], byteCount: Int? = nil
    ) throws(GatewayError) -> String {
        var encoder = route(path).longAnswer(byteCount: byteCount ?? pieces.reduce(0) { $0 + $1.count })
        var json: [UInt8] = []
        for piece in pieces {
            json += try piece.withUnsafeBufferPointer { buffer throws(GatewayError) in
                try encoder.take(UnsafeRawBufferPointer(buffer))
            }
        }
        json += try encoder.end()
        return String(decoding: json, as: UTF8.self)
    }

    /// Pieces of random sizes, some of them empty.
    private func cut(_ message: [UInt8], _ random: inout SeededGenerator) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        let sizeMax = [1, 2, 5, 40, 1_000][random.below(5)]
        var rest = message[...]
        while !rest.isEmpty {
            pieces.append(rest.prefix(random.below(sizeMax + 1)))
            rest = rest.dropFirst(pieces[pieces.count - 1].count)
        }
        return pieces
    }

    private static let examples: [(path: String, message: String)] = [
        ("kv/put", ""),
        ("kv/put", "0a09 08ac02 1002 1803 2004"),
        ("kv/put", "0a16 08ffffffffffffffffff01 18ffffffffffffffffff01"),
        ("kv/range", "0a00 1202 3000 1203 0a0161 1200 1801 2002"),
        ("kv/range", "0a07 0801 10ac02 1803 1210 0a0161 1002 1803 2004 2a03626364 3005 f83f05 1801 2001"),
        ("kv/txn", "0a00 1001 1a09 0a07 1203 0a0161 2001 1a04 2202 1001 1a08 2206 1a04 0a02 2001"),
        ("maintenance/alarm", "1204 0801 1001 1204 0802 1009"),
        ("maintenance/hash", "0a00 10ffffffff0f"),
        ("maintenance/status", "1203332e37 18808001 2805 420161 4203c3a422 6a07 0801 1203332e36"),
        ("lease/timetolive", "1001 18ffffffffffffffffff01 2a0161 2a00 2a026263"),
        ("auth/user/list", "12013c 120122 120101 1202c3a4 1200"),
        ("auth/authenticate", "f83f05 120162 fa3f0100 fd3f00000000 f93f0000000000000000"),
        ("cluster/member/list", "120d 0801 12016d 1a0161 220162 2801"),
    ]

    @Test("an answer becomes the same JSON at every cut", arguments: examples)
    func everyCut(path: String, message: String) throws {
        let message = bytes(message)
        let whole = try answer(path, message)
        #expect(try incremental(path, [message[...]]) == whole)
        #expect(try incremental(path, message.indices.map { message[$0...$0] }) == whole)
        for first in 0...message.count {
            for second in first...message.count {
                #expect(
                    try incremental(path, [message[..<first], message[first..<second], message[second...]]) == whole)
            }
        }
    }

    @Test func `random answers, cut at random, become what they become whole`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "incremental answers"))
        for _ in 0..<Self.cases / 10 {
            let isTransaction = random.chance(30)
            let path = isTransaction ? "kv/txn" : "kv/range"
            let message = isTransaction ? Self.transaction(&random, depth: 0) : Self.range(&random)
            let pieces = cut(message, &random)
            #expect(try incremental(path, pieces) == answer(path, message), "\(path) \(hex(message))")
        }
    }

    @Test func `damaged answers never trap, are judged alike at any cut, and are taken only as they would be whole`()
        throws
    {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged incremental answers"))
        var accepted = 0
        for _ in 0..<Self.cases {
            let (path, text) = Self.examples[random.below(Self.examples.count)]
            var message = bytes(text)
            for _ in 0...random.below(2) where !message.isEmpty {
                let place = random.below(message.count)
                switch random.below(4) {
                case 0: message[place] = UInt8(random.below(256))
                case 1: message[place] ^= 1 << UInt8(random.below(8))
                case 2: message.remove(at: place)
                default: message.insert(UInt8(random.below(64)), at: place)
                }
            }
            let atOnce = try? incremental(path, [message[...]])
            #expect(atOnce == (try? incremental(path, cut(message, &random))), "\(path) \(hex(message))")
            guard let atOnce else { continue }
            accepted += 1
            #expect(atOnce == (try? answer(path, message)), "\(path) \(hex(message))")
        }
        // Damage that everything survives, or nothing, tests little.
        #expect((Self.cases / 20..<Self.cases * 19 / 20).contains(accepted), "\(accepted) of \(Self.cases)")
    }

    @Test(
        "what is no answer of the services is an error",
        arguments: [
            // Cut off, in each of the places.
            "0a", "0a05", "08", "0aff", "1205 0a0361", "10ffffffffffffffffffff01",
            // A message that is longer than what it is in; a number that ends behind its message.
            "1203 0a0561626364", "1202 1080 01",
            // Of another type than its field.
            "0f", "0b", "1a0161", "0801", "1000", "0d00000000",
            // Out of order, and twice.
            "2001 1801", "12030a0161 0a00", "0a00 0a00", "1801 1801", "2000 2001", "1205 2a0161 0a00",
        ])
    func refused(message: String) {
        let message = bytes(message)
        let error = GatewayError(code: 13, message: "the answer is no protobuf message of its type")
        #expect(throws: error) { try incremental("kv/range", [message[...]]) }
        #expect(throws: error) { try incremental("kv/range", message.indices.map { message[$0...$0] }) }
    }

    @Test func `an answer that is shorter or longer than it was said to be is an error`() {
        let message = bytes("0a00 1801")
        for byteCount in [0, 2, 3, 5, 100] {
            #expect(throws: GatewayError.self) { try incremental("kv/range", [message[...]], byteCount: byteCount) }
        }
    }

    @Test func `the JSON of a part is no longer than the part makes it, also inside of one value`() throws {
        let value = [UInt8](repeating: 0xA5, count: 3_000_001)
        let pair = bytes("0a0161 2a") + varint(value.count) + value
        let message = [0x12] + varint(pair.count) + pair + bytes("2001")
        var encoder = route("kv/range").longAnswer(byteCount: message.count)
        let partBytes = 65_537
        var json: [UInt8] = []
        for start in stride(from: 0, to: message.count, by: partBytes) {
            let part = message[start..<min(start + partBytes, message.count)]
            let piece = try part.withUnsafeBytes { buffer throws(GatewayError) in try encoder.take(buffer) }
            // The names and the brackets, and the two bytes that may have waited.
            #expect(piece.count <= (part.count + 2) / 3 * 4 + 40)
            json += piece
        }
        json += try encoder.end()
        #expect(String(decoding: json, as: UTF8.self) == (try answer("kv/range", message)))
    }

    @Test func `the end is kept back, so that no part of an answer looks whole`() throws {
        let message = bytes("0a00 1203 0a0161 2001")
        var encoder = route("kv/range").longAnswer(byteCount: message.count)
        let json = try message.withUnsafeBufferPointer { buffer throws(GatewayError) in
            try encoder.take(UnsafeRawBufferPointer(buffer))
        }
        #expect(String(decoding: json, as: UTF8.self) == #"{"header":{}, "kvs":[{"key":"YQ=="}], "count":"1""#)
        #expect(try encoder.end() == Array("}".utf8))
    }

    // MARK: Random answers

    private func varint(_ value: Int) -> [UInt8] { Self.varint(UInt64(value)) }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var (bytes, rest): ([UInt8], UInt64) = ([], value)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func field(_ number: Int, _ payload: [UInt8]) -> [UInt8] {
        varint(UInt64(number) << 3 | 2) + varint(UInt64(payload.count)) + payload
    }

    /// At times left out, at times zero, at times of all 64 bits.
    private static func number(_ number: Int, _ random: inout SeededGenerator) -> [UInt8] {
        let value = [0, UInt64(random.below(200)), random.next() >> UInt64(random.below(64))][random.below(3)]
        return random.chance(20) ? [] : varint(UInt64(number) << 3) + varint(value)
    }

    /// Now and then one that nobody knows.
    private static func unknown(_ random: inout SeededGenerator) -> [UInt8] {
        guard random.chance(10) else { return [] }
        let number = UInt64(100 + random.below(1_000_000))
        return switch random.below(4) {
        case 0: varint(number << 3) + varint(random.next())
        case 1: varint(number << 3 | 1) + random.bytes(count: 8)
        case 2: field(Int(number), random.bytes(upTo: 40))
        default: varint(number << 3 | 5) + random.bytes(count: 4)
        }
    }

    private static func header(_ random: inout SeededGenerator) -> [UInt8] {
        random.chance(10) ? [] : field(1, (1...4).flatMap { number($0, &random) } + unknown(&random))
    }

    private static func pair(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = random.chance(10) ? [] : field(1, random.bytes(upTo: 20))
        for place in 2...4 { bytes += number(place, &random) }
        bytes += unknown(&random)
        if random.chance(90) { bytes += field(5, random.bytes(upTo: random.chance(10) ? 2_000 : 30)) }
        return bytes + number(6, &random) + unknown(&random)
    }

    private static func range(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = unknown(&random) + header(&random)
        for _ in 0..<random.below(6) { bytes += field(2, pair(&random)) + unknown(&random) }
        return bytes + number(3, &random) + number(4, &random) + unknown(&random)
    }

    private static func transaction(_ random: inout SeededGenerator, depth: Int) -> [UInt8] {
        var bytes = header(&random) + number(2, &random)
        for _ in 0..<random.below(4) {
            let operation =
                switch random.below(4) {
                case 0: field(1, range(&random))
                case 1: field(2, header(&random) + (random.chance(50) ? field(2, pair(&random)) : []))
                case 2 where depth < 3: field(4, transaction(&random, depth: depth + 1))
                default: field(3, header(&random) + number(2, &random) + field(3, pair(&random)))
                }
            bytes += field(3, operation)
        }
        return bytes + unknown(&random)
    }
}
