internal import StrakeEtcdWire
internal import StrakeModel
import Testing

/// What a client hears about the bytes of a request: nothing, or the error of reading or of validating it.
private func answer(range bytes: [UInt8]) -> EtcdStatus? {
    do throws(WireError) {
        let request = try decode(bytes, RangeRequest.init(protobuf:))
        return status { () throws(StoreError) in try request.validate() }
    } catch {
        return error.status
    }
}

private func answer(txn bytes: [UInt8], maxOperations: Int) -> EtcdStatus? {
    do throws(WireError) {
        let request = try decodeTxn(bytes, maxOperations: maxOperations)
        return status { () throws(StoreError) in try request.validate(maxOperations: maxOperations) }
    } catch {
        return error.status
    }
}

private func status(_ body: () throws(StoreError) -> Void) -> EtcdStatus? {
    do throws(StoreError) {
        try body()
        return nil
    } catch {
        return EtcdStatus(error)
    }
}

/// A field of nested bytes.
private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(content.count)] + content
}

@Suite struct DecodingTests {
    @Test(
        "bytes that etcd refuses or passes over are refused or passed over",
        arguments: [
            ("0a0161", nil),
            ("", .emptyKey),
            ("0a01612809", .invalidSortOption),  // sort_order 9
            ("0a01613009", .invalidSortOption),  // sort_target 9
            ("0a016128ffffffffffffffffff01", .invalidSortOption),  // -1
            ("0a01612880808080 10", nil),  // 2^32: an enum is its low 32 bits, here 0.
            ("28093009", .emptyKey),  // Without a key, that comes first.
            ("0a0161f87f01", nil),  // An unknown field, number 2047.
            ("0a0161fa7f026162", nil),
            ("0a0161f97f0102030405060708", nil),
            ("0a0161fd7f01020304", nil),
            ("0a01611d00000000", nil),  // A known field with another wire type counts as unknown.
            ("08010a0161", nil),
        ] as [(String, EtcdError?)])
    func accepted(text: String, error: EtcdError?) {
        #expect(answer(range: parseBytes(text.filter { $0 != " " })) == error.map { EtcdStatus($0) })
    }

    @Test(
        "malformed bytes are told from refused requests",
        arguments: [
            ("ffffffff", .truncated),
            ("0a05", .truncated),
            ("0a01", .truncated),
            ("0a0261", .truncated),
            ("0a", .truncated),
            ("0aff", .truncated),
            ("0affffffffffffffffff01", .truncated),  // A length of 2^64 - 1.
            ("18", .truncated),
            ("0a016118ffffffffffffffffffff01", .varintOverflow),
            ("18ffffffffffffffffff02", .varintOverflow),
            ("00", .invalidTag),  // Field number zero.
            ("0200", .invalidTag),
            ("8080808020", .invalidTag),  // A field number above 2^29 - 1: more than 32 bits of tag.
            ("0e", .invalidTag),  // Wire type 6.
            ("0f", .invalidTag),
            ("0b0c", .group),
            ("0c", .group),
            ("f97f010203", .truncated),
            ("fd7f010203", .truncated),
        ] as [(String, ProtobufError)])
    func malformed(text: String, error: ProtobufError) {
        #expect(throws: WireError.malformed(error)) { try decode(parseBytes(text), RangeRequest.init(protobuf:)) }
        #expect(answer(range: parseBytes(text))?.code == .internal)
    }

    @Test func `a string that is not UTF-8 is malformed`() {
        let expected = WireError.malformed(.invalidString)
        #expect(throws: expected) { try decode([0x0a, 1, 0xff], HealthCheckRequest.init(protobuf:)) }
        #expect(throws: expected) { try decode([0x0a, 2, 0xc0, 0x80], MemberAddRequest.init(protobuf:)) }
    }

    @Test func `the last of a repeated single field counts, and nested messages add up`() throws {
        #expect(try decode(parseBytes("0a01610a0162"), RangeRequest.init(protobuf:)).range == .key([0x62]))

        // One operation in two pieces: the key in the first, the value in the second.
        let pieces = field(2, field(2, field(1, [0x61])) + field(2, field(2, [0x62])))
        #expect(try decodeTxn(pieces).success == [.put(PutRequest(key: [0x61], value: [0x62]))])
        // Another kind of operation takes the place of the first.
        let replaced = field(2, field(2, field(1, [0x61])) + field(1, field(1, [0x62])))
        #expect(try decodeTxn(replaced).success == [.range(RangeRequest(range: .key([0x62])))])
        // What was wrong inside a transaction that was replaced does not count.
        let forgotten = field(2, field(4, field(2, [])) + field(1, field(1, [0x62])) + field(4, Self.read))
        let inner = TxnRequest(success: [.range(RangeRequest(range: .key([0x61])))])
        #expect(try decodeTxn(forgotten).success == [.txn(inner)])
    }

    @Test func `filters come packed or one by one and unknown ones are passed over`() throws {
        func create(_ text: String) throws -> WatchCreateRequest? {
            let request = try decode(field(1, parseBytes(text)), WatchRequest.init(protobuf:))
            return if case .create(let create) = request { create } else { nil }
        }
        for text in ["0a0161280028012807", "0a01612a03000107", "0a01612a0100" + "2801"] {
            let request = try #require(try create(text))
            #expect(request.noPut && request.noDelete)
        }
        #expect(try #require(try create("0a01612801")).noPut == false)
        #expect(throws: WireError.self) { try create("0a01612a02ff") }
    }

    @Test func `a watch without a key starts at the first one`() throws {
        let empty = try decode(field(1, []), WatchRequest.init(protobuf:))
        #expect(empty == .create(WatchCreateRequest(range: .key([0]))))
        let all = try decode(field(1, field(2, [0])), WatchRequest.init(protobuf:))
        #expect(all == .create(WatchCreateRequest(range: .all)))
    }

    @Test(
        "a comparison outside the schema is one that comes out as etcd's does",
        arguments: [
            ("1a0161", .equal, .version(0)),
            ("1a01613a0133", .equal, .version(0)),  // An operand of another kind than the target's.
            ("1a016110032001", .equal, .value([])),
            // An unknown target counts as equal.
            ("1a01611009", .greater, .version(-1)),
            ("080110091a0161", .less, .version(-1)),
            ("080210091a0161", .less, .version(-1)),
            ("080310091a0161", .less, .version(-1)),
            // An unknown result always holds, but a value of a missing key is never compared.
            ("08091a01612005", .greater, .version(-1)),
            ("080910091a0161", .greater, .version(-1)),
            ("08ffffffffffffffffff011a0161", .greater, .version(-1)),
            ("080910031a01613a0133", .greater, .version(0)),
        ] as [(String, Compare.Result, Compare.Target)])
    func comparison(text: String, result: Compare.Result, target: Compare.Target) throws {
        let request = try decodeTxn(field(1, parseBytes(text)))
        #expect(request.compare == [Compare(range: .key([0x61]), result: result, target: target)])
    }

    private static let emptyOperation = field(2, [])
    private static let badSort = field(2, field(1, parseBytes("0a01612809")))
    private static let read = field(2, field(1, parseBytes("0a0161")))
    private static let put = field(2, field(2, parseBytes("0a0161")))
    private static let putWithoutKey = field(2, field(2, []))

    @Test(
        "what the store's types cannot hold is refused where etcd refuses it",
        arguments: [
            (emptyOperation, .keyNotFound),
            (badSort, .invalidSortOption),
            (read + emptyOperation + badSort, .keyNotFound),
            (read + badSort + emptyOperation, .invalidSortOption),
            (putWithoutKey + badSort, .emptyKey),
            (badSort + putWithoutKey, .invalidSortOption),
            (put + put + badSort, .invalidSortOption),  // Overlaps are looked for last.
            (read + read + read + badSort, .tooManyOperations),
            (field(1, []) + badSort, .emptyKey),  // Comparisons come before operations, wherever they stand.
            (badSort + field(1, []), .emptyKey),
            (field(3, []) + badSort, .invalidSortOption),  // Success before failure.
            (field(3, []) + read, .keyNotFound),
            (field(2, field(4, badSort)) + emptyOperation, .invalidSortOption),
            (field(2, field(4, read + read + read)) + emptyOperation, .tooManyOperations),
            (field(2, field(4, read)) + field(2, field(4, read + emptyOperation)), .tooManyOperations),
            (field(2, field(4, read)) + field(2, field(4, emptyOperation)), .keyNotFound),
            (field(2, field(1, parseBytes("2809"))), .emptyKey),
        ] as [([UInt8], EtcdError)])
    func defects(bytes: [UInt8], error: EtcdError) {
        #expect(answer(txn: bytes, maxOperations: 3) == EtcdStatus(error))
    }

    @Test func `nesting beyond any limit is refused without using up the stack`() {
        // From the inside out, so backwards. As much as a message of 1 MiB holds.
        var backwards: [UInt8] = []
        for _ in 0..<130_000 {
            for number: UInt8 in [4, 2] {
                backwards += length(backwards.count).reversed()
                backwards.append(number << 3 | 2)
            }
        }
        let bytes = [UInt8](backwards.reversed())
        #expect(answer(txn: bytes, maxOperations: 100_000) == EtcdStatus(EtcdError.tooManyOperations))
        #expect(answer(txn: bytes, maxOperations: 128) == EtcdStatus(EtcdError.tooManyOperations))
    }

    /// A count as a varint.
    private func length(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var count = count
        while count > 127 {
            bytes.append(UInt8(count & 127) | 128)
            count >>= 7
        }
        return bytes + [UInt8(count)]
    }

    @Test func `recorded transactions are answered as etcd answered them`() {
        let recorded = parseVectors(recordedTransactions)
        #expect(recorded.count > 100)
        for (answered, bytes) in recorded {
            let status = answer(txn: bytes, maxOperations: 6)
            #expect((status?.message ?? "etcdserver: ok") == "etcdserver: \(answered)", "\(bytes)")
        }
    }
}
