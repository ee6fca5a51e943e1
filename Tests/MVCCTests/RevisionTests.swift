import StrakeMVCC
import StrakeModel
import Testing

struct RevisionTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test func `a store starts at revision 1 and each request that changes something takes the next`() throws {
        #expect(fixture.revision == 1)
        try fixture.put("a")
        #expect(fixture.revision == 2)
        try fixture.txn(TxnRequest(success: [.put("b"), .put("c")]))
        #expect(fixture.revision == 3)
        try fixture.delete("a", to: "z")
        #expect(fixture.revision == 4)
        fixture.publish()
        #expect(
            try fixture.changes(from: 1) == [
                "2.0 put a", "3.0 put b", "3.1 put c", "4.0 delete a", "4.1 delete b", "4.2 delete c",
            ])
    }

    @Test func `what changes nothing takes no revision`() throws {
        try fixture.put("a")
        #expect(try fixture.delete("b").deleted == 0)
        try fixture.txn(TxnRequest(success: [.deleteRange(DeleteRangeRequest(range: .key("b".bytes)))]))
        try fixture.txn(TxnRequest(success: [.range(RangeRequest(range: .all))]))
        let response = try fixture.txn(TxnRequest())
        #expect(response == TxnResponse(succeeded: true, responses: [], revision: 2))
        #expect(fixture.revision == 2)
        #expect(fixture.lastRequestCount == 0)
    }

    @Test func `a put creates a key at version 1 and counts up until a delete`() throws {
        try fixture.put("a", "1")
        try fixture.put("a", "2")
        try fixture.delete("a")
        try fixture.put("a", "3")
        fixture.publish()
        let expected = KeyValue(key: "a".bytes, createRevision: 5, modRevision: 5, version: 1, value: "3".bytes)
        #expect(try fixture.range("a").keyValues == [expected])
        let older = KeyValue(key: "a".bytes, createRevision: 2, modRevision: 3, version: 2, value: "2".bytes)
        #expect(try fixture.range("a", at: 3).keyValues == [older])
        #expect(try fixture.range("a", at: 4) == RangeResponse())
        #expect(try fixture.range("a", at: 1) == RangeResponse())
    }

    @Test func `a put answers with the previous key when asked`() throws {
        try fixture.put("a", "1")
        #expect(try fixture.put("a", "2").response.previous == nil)
        let outcome = try fixture.put("a", "3") { $0.wantsPrevious = true }
        #expect(
            outcome.response.previous
                == KeyValue(key: "a".bytes, createRevision: 2, modRevision: 3, version: 2, value: "2".bytes))
        try fixture.delete("a")
        #expect(try fixture.put("a", "4", lease: 0) { $0.wantsPrevious = true }.response.previous == nil)
    }

    @Test func `ignoring value or lease keeps them and needs the key`() throws {
        fixture.leases = [LeaseID(rawValue: 7)]
        #expect(throws: MVCCError.refused(.keyNotFound)) { try fixture.put("a") { $0.ignoreValue = true } }
        #expect(throws: MVCCError.refused(.keyNotFound)) { try fixture.put("a") { $0.ignoreLease = true } }
        #expect(fixture.revision == 1)
        try fixture.put("a", "1", lease: 7)
        try fixture.put("a", "2") { $0.ignoreLease = true }
        let outcome = try fixture.put("a", "") { $0.ignoreValue = true }
        #expect(outcome == PutOutcome(response: PutResponse(), oldLease: LeaseID(rawValue: 7)))
        fixture.publish()
        let kept = try fixture.range("a", at: 3).keyValues.first
        #expect(kept?.value == "2".bytes && kept?.lease == LeaseID(rawValue: 7))
        let now = try fixture.range("a").keyValues.first
        #expect(now?.value == "2".bytes && now?.lease == LeaseID.none)
        try fixture.delete("a")
        #expect(throws: MVCCError.refused(.keyNotFound)) { try fixture.put("a") { $0.ignoreValue = true } }
    }

    @Test func `a put with a lease that does not exist is refused`() throws {
        #expect(throws: MVCCError.refused(.leaseNotFound)) { try fixture.put("a", lease: 9) }
        #expect(fixture.revision == 1)
    }

    @Test func `a revoke deletes the keys of its leases in one revision in order`() throws {
        fixture.leases = [LeaseID(rawValue: 7), LeaseID(rawValue: 8), LeaseID(rawValue: 9)]
        try fixture.put("c", lease: 7)
        try fixture.put("a", lease: 7)
        try fixture.put("b", lease: 8)
        try fixture.put("moved", lease: 7)
        try fixture.checkpoint()
        try fixture.put("d", lease: 8)
        try fixture.put("moved", lease: 9)
        try fixture.put("e", lease: 7)
        try fixture.delete("e")
        #expect(try fixture.keys(attachedTo: 7).map(\.text) == ["a", "c"])
        #expect(try fixture.revoke(7, 8) == 4)
        let revision = fixture.revision
        fixture.publish()
        #expect(
            try fixture.changes(from: revision) == [
                "\(revision).0 delete a", "\(revision).1 delete b", "\(revision).2 delete c", "\(revision).3 delete d",
            ])
        #expect(try fixture.revoke(7) == 0)
        #expect(fixture.revision == revision)
        #expect(
            try fixture.reader.withView { view throws(MVCCError) in
                try view.keys(attachedTo: LeaseID(rawValue: 9))
            } == ["moved".bytes])
    }

    @Test func `readers see nothing before it is published and all of it after`() throws {
        try fixture.put("a")
        try fixture.put("b")
        #expect(fixture.reader.revision == 1)
        #expect(try fixture.all() == [])
        #expect(throws: MVCCError.refused(.futureRevision(requested: 2, current: 1))) { try fixture.range("a", at: 2) }
        #expect(fixture.publish() == ["a", "b"])
        #expect(fixture.reader.revision == 3)
        #expect(try fixture.all() == ["a=v", "b=v"])
        #expect(fixture.publish() == [])
    }

    @Test func `a view keeps what it saw while the store moves on`() throws {
        for number in 0..<2_000 { try fixture.put("k\(number)", "old") }
        fixture.publish()
        let fixture = fixture
        try fixture.reader.withView { view throws(MVCCError) in
            for number in 0..<4_000 { try fixture.put("k\(number)", "new") }
            fixture.publish()
            let seen = try view.range(RangeRequest(range: .all))
            #expect(seen.count == 2_000)
            #expect(seen.keyValues.allSatisfy { $0.value == "old".bytes })
        }
        #expect(try fixture.range("\0", to: "\0").count == 4_000)
    }
}

extension RequestOp {
    static func put(_ key: String, _ value: String = "v") -> RequestOp {
        .put(PutRequest(key: key.bytes, value: value.bytes))
    }

    static func delete(_ key: String, to end: String = "") -> RequestOp {
        .deleteRange(DeleteRangeRequest(range: KeyRange(key: key.bytes, rangeEnd: end.bytes)))
    }

    static func range(_ key: String, to end: String = "", at revision: Int64 = 0) -> RequestOp {
        var request = RangeRequest(range: KeyRange(key: key.bytes, rangeEnd: end.bytes))
        request.revision = revision
        return .range(request)
    }
}
