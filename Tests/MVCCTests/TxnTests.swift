import StrakeMVCC
import StrakeModel
import Testing

/// Answers marked "measured" are those of etcd 3.4.23.
struct TxnTests {
    let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture()
        try fixture.put("a", "1")
        try fixture.put("b", "2")
        try fixture.put("b", "3")
    }

    private func holds(
        _ key: String, to end: String = "", _ result: Compare.Result, _ target: Compare.Target
    ) throws -> Bool {
        let range = KeyRange(key: key.bytes, rangeEnd: end.bytes)
        return try fixture.txn(TxnRequest(compare: [Compare(range: range, result: result, target: target)])).succeeded
    }

    @Test func `a comparison sees the key's fields`() throws {
        #expect(try holds("b", .equal, .version(2)))
        #expect(try holds("b", .greater, .createRevision(2)))
        #expect(try holds("b", .less, .modRevision(5)))
        #expect(try holds("b", .notEqual, .value("2".bytes)))
        #expect(try holds("b", .greater, .value("".bytes)))
        #expect(try !holds("b", .less, .value("3".bytes)))
        #expect(try holds("b", .equal, .lease(.none)))
    }

    @Test func `a missing key compares as zeros and has no value`() throws {
        #expect(try holds("q", .equal, .version(0)))
        #expect(try holds("q", .less, .version(1)))
        #expect(try !holds("q", .greater, .modRevision(0)))
        #expect(try holds("q", .equal, .createRevision(0)))
        #expect(try holds("q", .equal, .lease(.none)))
        // Measured: no comparison of a value holds.
        #expect(try !holds("q", .notEqual, .value("x".bytes)))
        #expect(try !holds("q", .equal, .value("".bytes)))
        try fixture.delete("a")
        #expect(try holds("a", .equal, .version(0)))
    }

    @Test func `a comparison of a range holds for every key, and for none as for a missing key`() throws {
        #expect(try holds("a", to: "c", .greater, .version(0)))
        #expect(try !holds("a", to: "c", .greater, .version(1)))
        // Measured, as is the range that ends before it starts.
        #expect(try holds("q", to: "r", .equal, .version(0)))
        #expect(try !holds("q", to: "r", .notEqual, .value("x".bytes)))
        #expect(try holds("r", to: "a", .equal, .version(0)))
    }

    @Test func `all comparisons decide between the branches`() throws {
        let exists = Compare(range: .key("a".bytes), result: .greater, target: .version(0))
        let missing = Compare(range: .key("q".bytes), result: .greater, target: .version(0))
        let request = TxnRequest(compare: [exists, missing], success: [.put("yes")], failure: [.put("no")])
        #expect(try !fixture.txn(request).succeeded)
        fixture.publish()
        #expect(try fixture.all() == ["a=1", "b=3", "no=v"])
    }

    @Test func `nested comparisons see the state before the whole transaction`() throws {
        // Measured.
        let isNew = Compare(range: .key("n".bytes), result: .equal, target: .version(0))
        let inner = TxnRequest(
            compare: [isNew], success: [.put("took", "success"), .range("n")], failure: [.put("took", "failure")])
        let response = try fixture.txn(TxnRequest(success: [.put("n", "1"), .txn(inner)]))
        fixture.publish()
        #expect(try fixture.range("took").keyValues.first?.value == "success".bytes)
        // While what it reads is the state then.
        let read = KeyValue(key: "n".bytes, createRevision: 5, modRevision: 5, version: 1, value: "1".bytes)
        let nested = TxnResponse(
            succeeded: true, responses: [.put(PutResponse()), .range(RangeResponse(keyValues: [read], count: 1))],
            revision: 5)
        #expect(response.responses == [.put(PutResponse()), .txn(nested)])
        #expect(response.revision == 5)
    }

    @Test func `a transaction reads its own changes, and older revisions without them`() throws {
        let response = try fixture.txn(
            TxnRequest(success: [.put("a", "9"), .range("a"), .range("a", at: 4), .delete("a"), .range("a")]))
        let values = response.responses.map { operation -> String? in
            guard case .range(let range) = operation else { return nil }
            return range.keyValues.map(\.value.text).joined()
        }
        #expect(values == [nil, "9", "1", nil, ""])
    }

    @Test func `delete from a key on and put again are two changes of one revision`() throws {
        try fixture.put("y1")
        try fixture.put("y2", "old")
        let response = try fixture.txn(TxnRequest(success: [.delete("y", to: "\0"), .put("y2", "new")]))
        fixture.publish()
        let revision = response.revision
        #expect(
            try fixture.changes(from: revision) == [
                "\(revision).0 delete y1", "\(revision).1 delete y2", "\(revision).2 put y2",
            ])
        let expected = KeyValue(
            key: "y2".bytes, createRevision: revision, modRevision: revision, version: 1, value: "new".bytes)
        #expect(try fixture.range("y", to: "z").keyValues == [expected])
        #expect(try fixture.range("y", to: "z", at: revision - 1).keyValues.map(\.value.text) == ["v", "old"])
    }

    @Test func `a refusal leaves everything as it was`() throws {
        fixture.publish()
        let before = try fixture.reader.hashKV(revision: 0)
        try fixture.compact(through: 3)
        var keepsValue = PutRequest(key: "q".bytes, value: [])
        keepsValue.ignoreValue = true
        let refused: [(RequestOp, StoreError)] = [
            (.range("a", at: 2), .compacted(requested: 2, compactRevision: 3)),
            // Measured: the transaction's own revision is in the future.
            (.range("a", at: 5), .futureRevision(requested: 5, current: 4)),
            // Measured: inside a transaction a revision below zero is not "the newest".
            (.range("a", at: -3), .compacted(requested: -3, compactRevision: 3)),
            (.put(PutRequest(key: "q".bytes, value: [], lease: LeaseID(rawValue: 4))), .leaseNotFound),
            (.put(keepsValue), .keyNotFound),
            (.txn(TxnRequest(success: [.put("r"), .put(keepsValue)])), .keyNotFound),
        ]
        for (operation, error) in refused {
            #expect(throws: MVCCError.refused(error)) {
                try fixture.txn(TxnRequest(success: [.put("p"), .delete("a"), operation]))
            }
        }
        #expect(fixture.revision == 4)
        fixture.publish()
        #expect(try fixture.all() == ["a=1", "b=3"])
        #expect(try fixture.reader.hashKV(revision: 0).hash != 0 && before.hash != 0)
        // What is not taken is not checked.
        #expect(try fixture.txn(TxnRequest(success: [], failure: [.range("a", at: 2)])).succeeded)
    }

    @Test func `a value cannot be kept when the key was deleted earlier in the transaction`() throws {
        // etcd 3.4.23 accepts this and dies.
        var keepsValue = PutRequest(key: "b".bytes, value: [])
        keepsValue.ignoreValue = true
        #expect(throws: MVCCError.refused(.keyNotFound)) {
            try fixture.txn(TxnRequest(success: [.delete("b", to: "\0"), .put(keepsValue)]))
        }
        #expect(fixture.revision == 4)
        // Nor is it missing when it was put again.
        try fixture.txn(TxnRequest(success: [.delete("b", to: "\0"), .put("b", "new"), .put(keepsValue)]))
        fixture.publish()
        #expect(try fixture.range("b").keyValues.first?.value == "new".bytes)
    }

    // MARK: Transactions that only read, without being applied

    private func read(_ request: TxnRequest, bytesMax: Int = .max) throws(MVCCError) -> TxnResponse {
        try fixture.reader.withView { view throws(MVCCError) in try view.txn(request, bytesMax: bytesMax) }
    }

    @Test func `a transaction that is read sees what is published, takes no revision and nests`() throws {
        fixture.publish()
        try fixture.put("a", "unpublished")
        let isOld = Compare(range: .key("a".bytes), result: .equal, target: .version(1))
        let inner = TxnRequest(compare: [isOld], success: [.range("a", to: "c"), .range("b", at: 3)])
        let request = TxnRequest(compare: [isOld], success: [.txn(inner), .range("q")], failure: [.range("z", at: 9)])
        let a = KeyValue(key: "a".bytes, createRevision: 2, modRevision: 2, version: 1, value: "1".bytes)
        let b = KeyValue(key: "b".bytes, createRevision: 3, modRevision: 4, version: 2, value: "3".bytes)
        let oldB = KeyValue(key: "b".bytes, createRevision: 3, modRevision: 3, version: 1, value: "2".bytes)
        let nested = TxnResponse(
            succeeded: true,
            responses: [
                .range(RangeResponse(keyValues: [a, b], count: 2)), .range(RangeResponse(keyValues: [oldB], count: 1)),
            ], revision: 4)
        let expected = TxnResponse(
            succeeded: true, responses: [.txn(nested), .range(RangeResponse())], revision: 4)
        #expect(try read(request) == expected)
        fixture.publish()
        #expect(throws: MVCCError.refused(.futureRevision(requested: 9, current: 5))) { try read(request) }
        #expect(fixture.revision == 5)
    }

    @Test func `revisions of ranges in a read transaction are refused as in an applied one`() throws {
        fixture.publish()
        #expect(try read(TxnRequest(success: [.range("a", at: -3)])).succeeded)
        try fixture.compact(through: 3)
        fixture.publish()
        let refused: [(Int64, StoreError)] = [
            (2, .compacted(requested: 2, compactRevision: 3)), (5, .futureRevision(requested: 5, current: 4)),
            (-3, .compacted(requested: -3, compactRevision: 3)),
        ]
        for (revision, error) in refused {
            let request = TxnRequest(success: [.range("a"), .txn(TxnRequest(success: [.range("a", at: revision)]))])
            #expect(throws: MVCCError.refused(error)) { try read(request) }
            #expect(throws: MVCCError.refused(error)) { try fixture.txn(request) }
        }
        #expect(try read(TxnRequest(success: [.range("a", at: 3)], failure: [.range("a", at: 2)])).succeeded)
    }

    @Test func `an answer above its bound is refused, in one range or in many`() throws {
        for number in 0..<10 { try fixture.put("k\(number)", String(repeating: "v", count: 1_000)) }
        fixture.publish()
        var sorted = RangeRequest(range: KeyRange(key: "k".bytes, rangeEnd: "l".bytes))
        sorted.sortTarget = .modRevision
        sorted.sortOrder = .descending
        let ranges: [RequestOp] = [.range("k", to: "l"), .range(sorted)]
        for range in ranges {
            #expect(try read(TxnRequest(success: [range]), bytesMax: 12_000).succeeded)
            #expect(throws: MVCCError.refused(.requestTooLarge)) {
                try read(TxnRequest(success: [range]), bytesMax: 9_000)
            }
            #expect(throws: MVCCError.refused(.requestTooLarge)) {
                try read(TxnRequest(success: [range, .txn(TxnRequest(success: [range]))]), bytesMax: 12_000)
            }
        }
        let points = [RequestOp](repeating: .range("k1"), count: 9)
        #expect(throws: MVCCError.refused(.requestTooLarge)) {
            try read(TxnRequest(success: points), bytesMax: 9_000)
        }
        #expect(try read(TxnRequest(success: points), bytesMax: 12_000).responses.count == 9)
    }

    @Test func `a transaction that writes is carried out when its reads come to too much, and has no answer`() throws {
        for number in 0..<10 { try fixture.put("k\(number)", String(repeating: "v", count: 1_000)) }
        let before = fixture.store.revision
        var count = RangeRequest(range: KeyRange(key: "k".bytes, rangeEnd: "l".bytes))
        count.countOnly = true
        let reads: [(RequestOp, bytesMax: Int)] = [(.range("k", to: "l"), 30_000), (.range(count), 90)]
        for (read, bytesMax) in reads {
            let inner = TxnRequest(success: [read, read, .put("c", "2")])
            let request = TxnRequest(success: [.put("a", "new"), read, .txn(inner), .put("d", "3")])
            let cut = try fixture.txn(request, answerBytesMax: bytesMax)
            #expect(cut.isCutShort && cut.responses.count == 3 && cut.succeeded)
            let whole = try fixture.txn(request, answerBytesMax: 2 * bytesMax)
            #expect(!whole.isCutShort && whole.responses.count == 4)
        }
        fixture.publish()
        #expect(fixture.store.revision == before + 4)
        for (key, value) in [("a", "new"), ("c", "2"), ("d", "3")] {
            #expect(try fixture.range(key).keyValues.map(\.value) == [value.bytes])
        }
    }
}
