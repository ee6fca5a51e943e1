internal import StrakeFuzzing
internal import StrakePeers
internal import StrakeRaft
internal import StrakeSeededGenerator
internal import Testing

struct CodecTests {
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
        let damage = Damage(corpus: corpus)
        let memory = GuardedMemory()
        var accepted = 0
        for _ in 0..<FuzzCases.count {
            var bytes = corpus[random.below(corpus.count)]
            damage.apply(to: &bytes, &random)
            guard bytes.count <= GuardedMemory.capacity, let message = try? decoded(memory.hold(bytes)) else {
                continue
            }
            accepted += 1
            #expect(encoded(message) == bytes)
        }
        print("\(FuzzCases.count) damaged messages: \(accepted) were messages still")
        #expect(accepted > FuzzCases.count / 100 && accepted < FuzzCases.count)
    }
}
