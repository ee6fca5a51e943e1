import StrakeDiscovery
import StrakeFuzzing
import StrakeSeededGenerator
import Testing

/// A DNS message, written as RFC 1035 has it.
private struct Message {
    var bytes: [UInt8] = [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]

    /// With the question about `_s._tcp.example`, whose name stands at byte 12.
    init() {
        bytes += Self.name("_s._tcp.example") + [0, 33, 0, 1]
    }

    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// A record about what was asked.
    mutating func add(type: UInt8 = 33, area: UInt8 = 1, _ content: [UInt8], length: Int? = nil) {
        bytes[7] += 1
        let length = length ?? content.count
        bytes += [0xC0, 12, 0, type, 0, area, 0, 0, 0, 60, UInt8(length >> 8), UInt8(length & 0xFF)] + content
    }

    mutating func add(priority: UInt8 = 0, weight: UInt8 = 0, port: UInt16, _ target: [UInt8]) {
        add([0, priority, 0, weight, UInt8(port >> 8), UInt8(port & 0xFF)] + target)
    }
}

struct DNSAnswerTests {
    @Test func `records come in the order of their priority, with whole and with shortened names`() throws {
        var message = Message()
        message.add(priority: 2, port: 2380, Message.name("a.example"))
        message.add(priority: 1, weight: 7, port: 65_535, [1, 98, 0xC0, 20])
        message.add(priority: 1, port: 1, Message.name("C-3_x.example"))
        #expect(
            try DNSAnswer.services(in: message.bytes) == [
                ServiceRecord(priority: 1, weight: 7, port: 65_535, target: "b.example"),
                ServiceRecord(priority: 1, port: 1, target: "C-3_x.example"),
                ServiceRecord(priority: 2, port: 2380, target: "a.example"),
            ])
    }

    @Test func `records of other types and classes, and the one that says there is no service, are passed over`() throws
    {
        var message = Message()
        message.add(type: 5, Message.name("alias.example"))
        message.add(type: 1, [127, 0, 0, 1])
        message.add(area: 3, [0, 0, 0, 0, 0, 1] + Message.name("chaos.example"))
        message.add(port: 0, [0])
        #expect(try DNSAnswer.services(in: message.bytes).isEmpty)
        message.add(port: 9, Message.name("a"))
        #expect(try DNSAnswer.services(in: message.bytes).map(\.target) == ["a"])
    }

    private static func message(target: [UInt8]) -> [UInt8] {
        var message = Message()
        message.add(port: 1, target)
        return message.bytes
    }

    private static let label = [63] + [UInt8](repeating: 97, count: 63)

    private static let badNames: [[UInt8]] = [
        // To itself, to a label from which reading comes back to the pointer, and forwards.
        [0xC0, 51], [1, 97, 0xC0, 51], [0xC0, 53], [0xFF, 0xFF],
        [0x41] + [UInt8](repeating: 97, count: 65) + [0], [0x80, 0], label.repeated(4) + [0],
        Message.name("a=http://b,c"), Message.name("a b"), [1, 0, 0], [1, 46, 0],
    ]

    @Test("a name that does not end, is too long, or is no host's, is refused", arguments: badNames)
    func badName(target: [UInt8]) {
        #expect(throws: DNSAnswer.Problem.badName) { try DNSAnswer.services(in: Self.message(target: target)) }
    }

    @Test func `a name of the longest length is taken`() throws {
        let target = Self.label.repeated(3) + [61] + [UInt8](repeating: 98, count: 61) + [0]
        #expect(target.count == 255)
        #expect(try DNSAnswer.services(in: Self.message(target: target)).first?.target.utf8.count == 253)
    }

    @Test func `a record that is longer or shorter than it says is refused`() {
        for length in [7, 9, 12] {
            var message = Message()
            message.add([0, 0, 0, 0, 0, 1, 1, 97, 0, 0, 0, 0, 0, 0, 0, 0], length: length)
            if length == 9 {
                #expect((try? DNSAnswer.services(in: message.bytes))?.map(\.target) == ["a"])
            } else {
                #expect(throws: DNSAnswer.Problem.badRecord) { try DNSAnswer.services(in: message.bytes) }
            }
        }
    }

    @Test func `an answer that is cut anywhere is refused`() throws {
        var message = Message()
        message.add(port: 1, Message.name("a.example"))
        message.add(port: 2, [1, 98, 0xC0, 20])
        #expect(try DNSAnswer.services(in: message.bytes).count == 2)
        for count in message.bytes.indices {
            #expect(throws: DNSAnswer.Problem.truncated) {
                try DNSAnswer.services(in: Array(message.bytes.prefix(count)))
            }
        }
    }

    @Test(arguments: [(0x01, 0x80), (0x81, 0x83), (0x81, 0x82)] as [(UInt8, UInt8)])
    func `a question, or an answer that tells a failure, is refused`(flags: (UInt8, UInt8)) {
        var message = Message()
        (message.bytes[2], message.bytes[3]) = flags
        #expect(throws: DNSAnswer.Problem.notAnswer) { try DNSAnswer.services(in: message.bytes) }
    }

    @Test func `damaged answers are read or refused, and names stay names`() {
        let seed = SeededGenerator.seed(of: "DNS answers")
        var random = SeededGenerator(seed: seed)
        var message = Message()
        message.add(priority: 2, port: 2380, Message.name("a.example"))
        message.add(type: 5, Message.name("alias.example"))
        message.add(priority: 1, port: 2381, [1, 98, 0xC0, 20])
        let damage = Damage(letters: [0, 1, 12, 20, 33, 0xC0, 0xFF])
        var taken = 0
        for _ in 0..<FuzzCases.count {
            var bytes = message.bytes
            damage.apply(to: &bytes, &random)
            guard let records = try? DNSAnswer.services(in: bytes) else { continue }
            taken += records.count
            for record in records where record.target.isEmpty || record.target.utf8.count > 253 {
                Issue.record("\(record) from \(bytes), seed \(seed)")
                return
            }
        }
        #expect(taken > 1_000)
    }
}

extension [UInt8] {
    fileprivate func repeated(_ count: Int) -> [UInt8] { Array(repeatElement(self, count: count).joined()) }
}
