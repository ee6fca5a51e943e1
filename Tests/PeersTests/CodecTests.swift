internal import Glibc
internal import StrakePeers
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import Testing

struct CodecTests {
    /// Damaged inputs; `STRAKE_FUZZ_CASES` sets another number.
    private static let cases = getenv("STRAKE_FUZZ_CASES").flatMap { Int(String(cString: $0)) } ?? 100_000
    private let from = MemberID(rawValue: 1)
    private let to = MemberID(rawValue: 2)

    private func encoded(_ message: Message) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: MessageCodec.encodedSize(message))
        bytes.withUnsafeMutableBytes { memory in
            var writer = ByteWriter(memory)
            MessageCodec.encode(message, to: &writer)
            #expect(writer.count == memory.count)
        }
        return bytes
    }

    private func decoded(_ bytes: UnsafeRawBufferPointer) throws(PeerProtocolError) -> Message {
        var reader = ByteReader(bytes)
        return try MessageCodec.decode(&reader, from: from, to: to)
    }

    private func decoded(_ bytes: [UInt8]) throws -> Message {
        try bytes.withUnsafeBytes { try decoded($0) }
    }

    @Test(arguments: 0..<RandomMessages.kinds)
    func `a message is read as it was written`(kind: Int) throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "messages of kind \(kind)"))
        for _ in 0..<500 {
            let message = RandomMessages.message(kind: kind, &random)
            #expect(try decoded(encoded(message)) == message)
        }
    }

    @Test func `the layout is the documented one`() throws {
        let entry = Entry(
            id: EntryID(term: Term(rawValue: 3), index: LogIndex(rawValue: 8)), kind: .command, data: [0xaa, 0xbb])
        let append = Message.Append(
            previous: EntryID(term: Term(rawValue: 2), index: LogIndex(rawValue: 7)), entries: [entry],
            committed: LogIndex(rawValue: 6))
        let message = Message(from: from, to: to, term: Term(rawValue: 3), body: .append(append))
        let expected: [UInt8] =
            [3, 0, 0, 0, 0, 0, 0, 0, 3]
            + [2, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
            + [1, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb]
        #expect(encoded(message) == expected)
    }

    @Test func `every proper beginning of a message is refused`() {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "beginnings"))
        for kind in 0..<RandomMessages.kinds {
            let bytes = encoded(RandomMessages.message(kind: kind, &random))
            for count in 0..<bytes.count {
                #expect(throws: PeerProtocolError.self) { try decoded(Array(bytes.prefix(count))) }
            }
            #expect(throws: PeerProtocolError.malformed("length")) { try decoded(bytes + [0]) }
        }
    }

    @Test func `what raft would stop at is refused`() {
        func append(term: UInt64, entryTerms: [UInt64], after: UInt64) -> Message {
            var index = LogIndex(rawValue: 5)
            let entries = entryTerms.map { term in
                index = index + 1
                return Entry(id: EntryID(term: Term(rawValue: term), index: index), kind: .empty, data: [])
            }
            let previous = EntryID(term: Term(rawValue: after), index: LogIndex(rawValue: 5))
            return Message(
                from: from, to: to, term: Term(rawValue: term),
                body: .append(.init(previous: previous, entries: entries, committed: .zero)))
        }
        let bad = [
            append(term: 4, entryTerms: [3, 2], after: 1), append(term: 4, entryTerms: [2], after: 3),
            append(term: 4, entryTerms: [5], after: 1),
        ]
        for message in bad {
            #expect(throws: PeerProtocolError.malformed("entry term")) { try decoded(encoded(message)) }
        }
        let unsorted = Configuration(voters: [MemberID(rawValue: 2), MemberID(rawValue: 1)])
        let snapshot = Message(
            from: from, to: to, term: .zero, body: .snapshot(.init(last: .zero, configuration: unsorted)))
        #expect(throws: PeerProtocolError.malformed("order of members")) { try decoded(encoded(snapshot)) }
        let huge = Message(
            from: from, to: to, term: Term(rawValue: 1 << 63), body: .readIndex(context: UInt64.max))
        #expect(throws: PeerProtocolError.malformed("term")) { try decoded(encoded(huge)) }
    }

    @Test func `damaged messages never trap, and what is read of them is what would be written`() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed(of: "damaged messages"))
        let corpus = (0..<600).map { encoded(RandomMessages.message(kind: $0 % RandomMessages.kinds, &random)) }
        let memory = GuardedMemory()
        var accepted = 0
        for _ in 0..<Self.cases {
            var bytes = corpus[random.below(corpus.count)]
            Damage.apply(to: &bytes, from: corpus, &random)
            guard bytes.count <= GuardedMemory.capacity, let message = try? decoded(memory.hold(bytes)) else {
                continue
            }
            accepted += 1
            #expect(encoded(message) == bytes)
        }
        print("\(Self.cases) damaged messages: \(accepted) were messages still")
        #expect(accepted > Self.cases / 100 && accepted < Self.cases)
    }
}

/// Memory that ends where a page ends that nobody may touch: a decoder that reads one byte too far stops the process.
struct GuardedMemory: ~Copyable {
    static let capacity = 4 * 4_096
    private let base: UnsafeMutableRawPointer

    init() {
        let memory = mmap(nil, Self.capacity + 4_096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED, mprotect(memory + Self.capacity, 4_096, PROT_NONE) == 0 else {
            fatalError("no memory with a guard page: \(errno)")
        }
        base = memory
    }

    deinit { munmap(base, Self.capacity + 4_096) }

    /// The bytes, with the guard right behind them.
    func hold(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let start = base + (Self.capacity - bytes.count)
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyMemory(from: $0) }
        return UnsafeRawBufferPointer(start: start, count: bytes.count)
    }
}

/// Changes bytes at random: some flipped, set, dropped, added, cut off, or replaced by another input's.
enum Damage {
    static func apply(to bytes: inout [UInt8], from corpus: [[UInt8]], _ random: inout SeededGenerator) {
        for _ in 0...random.below(4) {
            guard !bytes.isEmpty else {
                bytes = corpus[random.below(corpus.count)]
                return
            }
            let place = random.below(bytes.count)
            switch random.below(7) {
            case 0: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]
            case 2: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 3: bytes.remove(at: place)
            case 4: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            case 5: bytes.removeLast(bytes.count - place)
            default:
                let other = corpus[random.below(corpus.count)]
                bytes.replaceSubrange(place..., with: other.suffix(max(0, other.count - place)))
            }
        }
    }
}
