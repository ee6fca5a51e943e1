internal import StrakeModel
internal import StrakeSeededGenerator
import Testing

private func key(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

private func put(_ name: String, value: String = "", lease: Int64 = 0) -> PutRequest {
    PutRequest(key: key(name), value: key(value), lease: LeaseID(rawValue: lease))
}

private func put(_ name: String) -> RequestOp { .put(put(name, value: "")) }

/// A delete as clients write it: no end for the key alone, "\0" for "this key and all above".
private func delete(_ name: String, _ end: String = "") -> RequestOp {
    .deleteRange(DeleteRangeRequest(range: KeyRange(key: key(name), rangeEnd: key(end))))
}

private func read(_ name: String) -> RequestOp { .range(RangeRequest(range: .key(key(name)))) }

private func txn(_ success: [RequestOp], else failure: [RequestOp] = []) -> RequestOp {
    .txn(TxnRequest(success: success, failure: failure))
}

private func error(of txn: TxnRequest, maxOperations: Int = 128) -> StoreError? {
    do throws(StoreError) {
        try txn.validate(maxOperations: maxOperations)
        return nil
    } catch {
        return error
    }
}

@Suite struct ValidationTests {
    @Test
    func `a transaction without conditions and operations may be answered by any member, one that only compares not`() {
        var local = RangeRequest(range: .key(key("a")))
        local.isSerializable = true
        let comparison = Compare(range: .key(key("a")), result: .equal, target: .version(1))
        #expect(TxnRequest().isSerializable)
        #expect(!TxnRequest(compare: [comparison]).isSerializable)
        #expect(TxnRequest(compare: [comparison], success: [.range(local)]).isSerializable)
        #expect(!TxnRequest(success: [.range(local), read("b")]).isSerializable)
        #expect(!TxnRequest(success: [.range(local), put("b")]).isSerializable)
    }

    @Test(
        "a put is checked for its key, its value and its lease, in this order",
        arguments: [
            (put("a", value: "v", lease: 1), false, false, nil),
            (put("", value: "v", lease: 1), true, true, .emptyKey),
            (put("a", value: "v", lease: 1), true, true, .valueProvided),
            (put("a", value: "v"), true, false, .valueProvided),
            (put("a", lease: 1), true, true, .leaseProvided),
            (put("a", value: "v", lease: -1), false, true, .leaseProvided),
            (put("a"), true, true, nil),
        ] as [(PutRequest, Bool, Bool, StoreError?)])
    func putChecks(request: PutRequest, ignoreValue: Bool, ignoreLease: Bool, expected: StoreError?) {
        var request = request
        request.ignoreValue = ignoreValue
        request.ignoreLease = ignoreLease
        #expect(failure(try request.validate()) == expected)
    }

    @Test func `reads and deletes need a key`() {
        #expect(failure(try RangeRequest(range: .key([])).validate()) == .emptyKey)
        #expect(failure(try RangeRequest(range: KeyRange(lower: [], upper: .unbounded)).validate()) == .emptyKey)
        #expect(failure(try RangeRequest(range: .all).validate()) == nil)
        #expect(failure(try DeleteRangeRequest(range: .key([])).validate()) == .emptyKey)
        #expect(failure(try DeleteRangeRequest(range: .all).validate()) == nil)
    }

    private func failure(_ body: @autoclosure () throws(StoreError) -> Void) -> StoreError? {
        do throws(StoreError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private static let compare = Compare(range: .key([97]), result: .equal, target: .version(0))
    private static let compareWithoutKey = Compare(range: .key([]), result: .equal, target: .version(0))

    @Test(
        "a transaction's longest list counts, and a nested one has what that leaves",
        arguments: [
            (TxnRequest(), nil),
            (TxnRequest(success: [put("a"), put("b"), put("c"), put("d")]), nil),
            (TxnRequest(success: [put("a"), put("b"), put("c"), put("d"), put("e")]), .tooManyOperations),
            (TxnRequest(failure: [read("a"), read("a"), read("a"), read("a"), read("a")]), .tooManyOperations),
            (TxnRequest(compare: [Compare](repeating: compare, count: 5)), .tooManyOperations),
            (TxnRequest(compare: [Compare](repeating: compare, count: 4), success: [put("a")]), nil),
            (TxnRequest(success: [txn([put("a"), put("b"), put("c")])]), nil),
            (TxnRequest(success: [txn([put("a"), put("b"), put("c"), put("d")])]), .tooManyOperations),
            (
                TxnRequest(compare: [compare, compare], failure: [txn([put("a"), put("b"), put("c")])]),
                .tooManyOperations
            ),
            (TxnRequest(success: [txn([txn([txn([txn([])])])])]), nil),
            (TxnRequest(success: [txn([txn([txn([txn([put("a")])])])])]), .tooManyOperations),
            // The count comes first, the comparisons next, then the operations in order, then the overlaps.
            (TxnRequest(compare: [Compare](repeating: compareWithoutKey, count: 5)), .tooManyOperations),
            (
                TxnRequest(compare: [compareWithoutKey], success: [txn([put("a"), put("b"), put("c"), put("d")])]),
                .emptyKey
            ),
            (TxnRequest(success: [put("a"), put("a"), read("")]), .emptyKey),
            (TxnRequest(success: [put("a"), put("a")], failure: [delete("")]), .emptyKey),
            (TxnRequest(success: [txn([put("a"), put("b"), put("c"), put("d")]), read("")]), .tooManyOperations),
            (TxnRequest(success: [read(""), txn([put("a"), put("b"), put("c"), put("d")])]), .emptyKey),
        ] as [(TxnRequest, StoreError?)])
    func budget(txn: TxnRequest, expected: StoreError?) {
        #expect(error(of: txn, maxOperations: 4) == expected)
    }

    @Test(
        "a key changed twice is refused where etcd sees it",
        arguments: [
            ([put("a"), put("b")], nil),
            ([put("a"), put("a")], .duplicateKey),
            ([put("a"), delete("a")], .duplicateKey),
            ([delete("a"), put("a")], .duplicateKey),
            ([delete("a"), put("a\0")], nil),
            ([delete("a"), delete("a"), delete("a", "c")], nil),
            ([delete("a", "c"), put("a")], .duplicateKey),
            ([delete("a", "c"), put("b")], .duplicateKey),
            ([delete("a", "c"), put("c")], nil),
            ([delete("b", "c"), put("a")], nil),
            ([delete("c", "a"), put("b")], nil),  // The end below the start: it deletes nothing.
            ([delete("z", "{"), put("z1")], .duplicateKey),  // `del z --prefix`, `put z1`.
            ([delete("y", "\0"), put("y2")], nil),  // `del --from-key y`, `put y2`: the open end is not seen.
            ([delete("\0", "\0"), put("a")], nil),
            ([delete("a", "c"), delete("b", "e"), put("d")], .duplicateKey),
            ([delete("d", "f"), delete("a", "b"), delete("c"), put("e")], .duplicateKey),
            ([delete("d", "f"), delete("a", "b"), delete("c"), put("b"), put("f"), put("c\0")], nil),
            ([read("a"), put("a"), read("a")], nil),
            // Nested transactions.
            ([put("a"), txn([put("a")])], .duplicateKey),
            ([txn([put("a")]), txn([put("a")])], .duplicateKey),
            ([txn([put("a")], else: [put("a")])], nil),
            ([txn([put("a")], else: [put("a")]), put("a")], .duplicateKey),
            ([txn([put("a")]), txn([], else: [put("a")])], .duplicateKey),
            ([txn([put("a")], else: [delete("a")])], nil),
            ([delete("a"), txn([put("a")])], .duplicateKey),
            ([txn([put("a")]), delete("a")], .duplicateKey),
            ([txn([delete("a")]), put("a")], .duplicateKey),
            ([put("a"), txn([], else: [delete("a", "b")])], .duplicateKey),
            ([txn([delete("a")]), txn([put("a")])], .duplicateKey),
            ([txn([put("a")]), txn([delete("a")])], nil),  // Not seen in this order.
            ([txn([txn([put("a"), put("a")])])], .duplicateKey),
            ([txn([txn([delete("a", "c")])]), txn([txn([put("b")])])], .duplicateKey),
        ] as [([RequestOp], StoreError?)])
    func overlap(operations: [RequestOp], expected: StoreError?) {
        #expect(error(of: TxnRequest(success: operations)) == expected)
        #expect(error(of: TxnRequest(failure: operations)) == expected)
    }

    @Test func `the two branches do not overlap with each other`() {
        #expect(error(of: TxnRequest(success: [put("a")], failure: [put("a"), delete("b")])) == nil)
    }

    @Test func `intervals give the answer that looking at every delete gives`() {
        var random = SeededGenerator(seed: 3)
        var refused = 0
        for _ in 0..<5000 {
            func name(_ bound: Int) -> String { String(UnicodeScalar(UInt8(97 + random.below(bound)))) }
            let deletes = (0..<random.below(5)).map { _ in (name(12), random.chance(30) ? "" : name(12)) }
            let nested = (0..<random.below(5)).map { _ in (name(12), random.chance(30) ? "" : name(12)) }
            let target = name(13)
            let hit = (deletes + nested).contains { lower, end in
                end.isEmpty ? lower == target : lower <= target && target < end
            }
            var operations = deletes.map { delete($0.0, $0.1) }
            operations.append(txn(nested.map { delete($0.0, $0.1) }))
            operations.append(put(target))
            #expect(error(of: TxnRequest(success: operations)) == (hit ? .duplicateKey : nil))
            refused += hit ? 1 : 0
        }
        #expect((1000..<4000).contains(refused))
    }

    @Test func `a huge transaction is checked in time that follows its size`() {
        // Quadratic checks would take minutes here: 40,000 deletes, disjoint, and as many puts between them.
        func name(_ number: Int, _ last: UInt8) -> [UInt8] { [1, UInt8(number >> 8), UInt8(number & 255), last] }
        let operations = (0..<40_000).flatMap { number -> [RequestOp] in
            [
                .deleteRange(
                    DeleteRangeRequest(range: KeyRange(lower: name(number, 1), upper: .before(name(number, 5))))),
                .put(PutRequest(key: name(number, 5), value: [])),
            ]
        }
        #expect(error(of: TxnRequest(success: operations), maxOperations: 100_000) == nil)
        let last = RequestOp.put(PutRequest(key: name(39_999, 4), value: []))
        #expect(error(of: TxnRequest(success: operations + [last]), maxOperations: 100_000) == .duplicateKey)
    }

    @Test func `a defect is found at its place among the other checks`() {
        let request = TxnRequest(success: [put("a"), txn([read(""), put("b")])], failure: [read("")])
        func first(_ defects: [TxnRequest.Path: StoreError]) -> StoreError? {
            do throws(StoreError) {
                try request.validate(maxOperations: 9, defects: defects)
                return nil
            } catch {
                return error
            }
        }
        #expect(first([[0]: .keyNotFound]) == .keyNotFound)
        #expect(first([[1, 0]: .invalidSortOption]) == .invalidSortOption)
        #expect(first([[1, 1]: .invalidSortOption]) == .emptyKey)
        #expect(first([[~0]: .keyNotFound]) == .emptyKey)
        #expect(first([[~0]: .keyNotFound, [1, 0]: .invalidSortOption]) == .invalidSortOption)
    }
}
