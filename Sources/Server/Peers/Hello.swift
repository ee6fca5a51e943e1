internal import StrakeChecksum
package import StrakeRaft

// What both sides of a connection say first. All integers are little-endian.
//
//   head   = magic "STRAKEPR" | version u16 | mark u8 | 0 u8 | body length u32
//   hello  = head (mark: the stream kind)
//            | cluster u64 | sender u64 | receiver u64 | count u16 | count times: length u16, URL | CRC-32C u32
//   answer = head (mark: the verdict) | cluster u64 | member u64 | CRC-32C u32
//
// The checksum covers everything before it, the body length everything after the head. The head is the same in all
// versions, so that members of different ones can tell each other so.

/// The start of a hello or its answer.
package struct HandshakeHead: Hashable, Sendable {
    package static let magic = [UInt8]("STRAKEPR".utf8)
    package static let bytes = 16
    /// The version of the protocol that this program speaks.
    package static let version: UInt16 = 1
    /// A sender with more URLs than fit is not ours.
    package static let bodyBytesMax = 16 << 10

    package var version: UInt16
    package var mark: UInt8
    package var bodyBytes: Int

    package init(decoding reader: inout ByteReader) throws(PeerProtocolError) {
        guard try reader.array(Self.magic.count) == Self.magic else { throw .malformed("magic") }
        version = try reader.integer(UInt16.self)
        mark = try reader.integer(UInt8.self)
        guard try reader.integer(UInt8.self) == 0 else { throw .malformed("handshake") }
        bodyBytes = Int(try reader.integer(UInt32.self))
        guard bodyBytes <= Self.bodyBytesMax else { throw .malformed("handshake length") }
    }

    /// The bytes of a handshake: the head, the body, the checksum.
    static func encode(mark: UInt8, body: (inout ByteWriter) -> Void, bodyBytes: Int) -> [UInt8] {
        let size = bytes + bodyBytes + 4
        return [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            let memory = UnsafeMutableRawBufferPointer(start: memory.baseAddress, count: size)
            var writer = ByteWriter(memory)
            writer.add(magic)
            writer.add(version)
            writer.add(mark)
            writer.add(UInt8(0))
            writer.add(UInt32(bodyBytes + 4))
            body(&writer)
            writer.add(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: memory[..<writer.count])))
            count = writer.count
        }
    }

    /// Checks the last four bytes.
    static func verify(_ bytes: UnsafeRawBufferPointer) throws(PeerProtocolError) {
        guard bytes.count >= Self.bytes + 4 else { throw .truncated }
        let end = bytes.count - 4
        let expected = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        let found = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        guard expected == found else { throw .checksum(expected: expected, found: found) }
    }
}

/// Who connects, to whom, and what for.
package struct Hello: Hashable, Sendable {
    /// Bytes of all URLs, with two more for each.
    static let urlBytesMax = 8 << 10

    package var stream: StreamKind
    package var cluster: UInt64
    package var from: MemberID
    package var to: MemberID
    /// Where the sender can be reached: the receiver may not know of it yet.
    package var urls: [String]

    package init(stream: StreamKind, cluster: UInt64, from: MemberID, to: MemberID, urls: [String]) {
        self.stream = stream
        self.cluster = cluster
        self.from = from
        self.to = to
        self.urls = urls
    }

    package func encoded() -> [UInt8] {
        let texts = urls.map { [UInt8]($0.utf8) }
        let bodyBytes = texts.reduce(26) { $0 + 2 + $1.count }
        precondition(bodyBytes + 4 <= HandshakeHead.bodyBytesMax, "\(bodyBytes) bytes of peer URLs")
        return HandshakeHead.encode(
            mark: stream.rawValue,
            body: { writer in
                writer.add(cluster)
                writer.add(from.rawValue)
                writer.add(to.rawValue)
                writer.add(UInt16(texts.count))
                for text in texts {
                    writer.add(UInt16(text.count))
                    writer.add(text)
                }
            }, bodyBytes: bodyBytes)
    }

    /// Reads a whole hello of this version.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(PeerProtocolError) {
        try HandshakeHead.verify(bytes)
        var reader = ByteReader(bytes)
        let head = try HandshakeHead(decoding: &reader)
        guard let stream = StreamKind(rawValue: head.mark) else { throw .malformed("stream kind") }
        self.stream = stream
        cluster = try reader.integer(UInt64.self)
        from = MemberID(rawValue: try reader.integer(UInt64.self))
        to = MemberID(rawValue: try reader.integer(UInt64.self))
        guard from.rawValue != 0 else { throw .malformed("member") }
        urls = []
        for _ in 0..<(try reader.integer(UInt16.self)) {
            let text = try reader.array(Int(try reader.integer(UInt16.self)))
            guard let url = String(validating: text, as: UTF8.self) else { throw .malformed("URL") }
            urls.append(url)
        }
        guard reader.remaining == 4 else { throw .malformed("handshake length") }
    }
}

/// Whether the connection may go on, and who it is that says so.
package struct HelloAnswer: Hashable, Sendable {
    package enum Verdict: UInt8, Hashable, Sendable {
        case accepted = 0
        case unknownVersion = 1
        case wrongCluster = 2
        case wrongMember = 3
        /// The sender was a member, and is none any more.
        case removed = 4
        /// There are too many connections already.
        case busy = 5
        /// The hello makes no sense.
        case malformed = 6
    }

    package var version: UInt16
    package var verdict: Verdict
    package var cluster: UInt64
    package var member: MemberID

    package init(_ verdict: Verdict, cluster: UInt64, member: MemberID) {
        version = HandshakeHead.version
        self.verdict = verdict
        self.cluster = cluster
        self.member = member
    }

    package func encoded() -> [UInt8] {
        HandshakeHead.encode(
            mark: verdict.rawValue,
            body: { writer in
                writer.add(cluster)
                writer.add(member.rawValue)
            }, bodyBytes: 16)
    }

    /// Reads a whole answer. Of another version only the head is understood.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(PeerProtocolError) {
        var reader = ByteReader(bytes)
        let head = try HandshakeHead(decoding: &reader)
        version = head.version
        guard head.version == HandshakeHead.version else {
            verdict = .unknownVersion
            cluster = 0
            member = MemberID(rawValue: 0)
            return
        }
        try HandshakeHead.verify(bytes)
        guard let verdict = Verdict(rawValue: head.mark) else { throw .malformed("verdict") }
        self.verdict = verdict
        cluster = try reader.integer(UInt64.self)
        member = MemberID(rawValue: try reader.integer(UInt64.self))
        guard reader.remaining == 4 else { throw .malformed("handshake length") }
    }
}
