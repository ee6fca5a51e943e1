/// Reads the SRV records of a DNS answer (RFC 1035). Every byte of it may be anybody's.
package struct DNSAnswer {
    /// What makes an answer none.
    package enum Problem: Error, Hashable, Sendable {
        case truncated
        /// It is a question, or says that it failed.
        case notAnswer
        /// A name is too long, never ends, or is of characters that no host has.
        case badName
        case badRecord
    }

    private static let serviceType = 33
    private static let internetClass = 1
    /// RFC 1035, 3.1: with the lengths of its labels.
    private static let nameBytesMax = 255
    private static let labelBytesMax = 63
    /// The highest two bits of a length: what follows is where the rest of the name stands.
    private static let pointerMark = 0xC0

    private let bytes: [UInt8]
    private var position = 0

    /// - Returns: The records in the order of priority, and of the answer. None for the name "." among them: it says that
    ///   there is no such service.
    package static func services(in bytes: [UInt8]) throws(Problem) -> [ServiceRecord] {
        var answer = DNSAnswer(bytes: bytes)
        let records = try answer.services()
        return records.enumerated()
            .sorted { ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset) }
            .map(\.element)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func services() throws(Problem) -> [ServiceRecord] {
        _ = try number()
        let flags = try number()
        guard flags & 0x8000 != 0, flags & 0xF == 0 else { throw .notAnswer }
        let (questions, answers) = (try number(), try number())
        // Of authorities and more, which stand at the end.
        try skip(4)
        for _ in 0..<questions {
            try skipName()
            try skip(4)
        }
        var found: [ServiceRecord] = []
        for _ in 0..<answers {
            if let record = try record() { found.append(record) }
        }
        return found
    }

    /// Nil for a record of another type, such as the alias that led here.
    private mutating func record() throws(Problem) -> ServiceRecord? {
        try skipName()
        let (type, area) = (try number(), try number())
        // Its time to live.
        try skip(4)
        let length = try number()
        let end = position + length
        guard end <= bytes.count else { throw .truncated }
        guard type == Self.serviceType, area == Self.internetClass else {
            position = end
            return nil
        }
        let (priority, weight, port) = (try number(), try number(), try number())
        let target = try name()
        guard position == end else { throw .badRecord }
        if target.isEmpty { return nil }
        return ServiceRecord(
            priority: UInt16(priority), weight: UInt16(weight), port: UInt16(port), target: target)
    }

    // MARK: - Parts

    private mutating func number() throws(Problem) -> Int {
        guard position + 2 <= bytes.count else { throw .truncated }
        defer { position += 2 }
        return Int(bytes[position]) << 8 | Int(bytes[position + 1])
    }

    private mutating func skip(_ count: Int) throws(Problem) {
        guard position + count <= bytes.count else { throw .truncated }
        position += count
    }

    /// Of a name that nobody asks for: an owner may have any characters.
    private mutating func skipName() throws(Problem) { _ = try labels() }

    private mutating func name() throws(Problem) -> String {
        let labels = try labels()
        for label in labels where !label.allSatisfy(Self.isOfHost) { throw .badName }
        return labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    /// Letters, digits, hyphens, and underscores, which are in use: what else there may be could pass for other parts of a
    /// URL, or of a list of members.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private mutating func labels() throws(Problem) -> [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var (place, begin) = (position, position)
        // Where reading goes on: behind the first pointer, or behind the name.
        var after: Int?
        var length = 1
        while true {
            guard place < bytes.count else { throw .truncated }
            let mark = Int(bytes[place])
            if mark & Self.pointerMark == Self.pointerMark {
                guard place + 1 < bytes.count else { throw .truncated }
                let target = (mark & ~Self.pointerMark) << 8 | Int(bytes[place + 1])
                // Each further back than where the part before it began, so it ends.
                guard target < begin else { throw .badName }
                after = after ?? place + 2
                (place, begin) = (target, target)
                continue
            }
            guard mark <= Self.labelBytesMax else { throw .badName }
            let end = place + 1 + mark
            guard end <= bytes.count else { throw .truncated }
            if mark == 0 {
                position = after ?? end
                return labels
            }
            length += 1 + mark
            guard length <= Self.nameBytesMax else { throw .badName }
            labels.append(bytes[place + 1..<end])
            place = end
        }
    }
}
