import StrakeLinearizability
import Testing

/// Histories whose verdict is known beforehand.
struct KnownHistoryTests {
    // MARK: Good ones

    @Test func `a history of nothing is linearizable`() {
        #expect(History().verdict == .linearizable)
    }

    @Test func `a read beside a write may see it or not`() {
        for seesIt in [false, true] {
            var history = History()
            history.add(.put(value: 1), .written, at: 2, from: 0, to: 10)
            history.add(
                .get, seesIt ? .saw(1, create: 2, mod: 2, version: 1) : .read(nil), at: seesIt ? 2 : 1, from: 5, to: 8)
            #expect(history.verdict == .linearizable)
        }
    }

    @Test func `a write without an answer may take effect late`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.put(value: 2), .unknown, from: 2)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), at: 2, from: 10, to: 11)
        history.add(.get, .saw(2, create: 2, mod: 3, version: 2), at: 3, from: 12, to: 13)
        #expect(history.verdict == .linearizable)
    }

    @Test func `a write without an answer may never take effect`() {
        var history = History()
        history.add(.put(value: 1), .unknown, from: 0)
        history.add(.get, .read(nil), at: 1, from: 10, to: 11)
        #expect(history.verdict == .linearizable)
    }

    @Test func `a write that nobody saw shows in the version`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.put(value: 2), .unknown, from: 2)
        history.add(.put(value: 3), .written, at: 4, from: 4, to: 5)
        history.add(.get, .saw(3, create: 2, mod: 4, version: 3), at: 4, from: 6, to: 7)
        #expect(history.verdict == .linearizable)
    }

    @Test func `a store that is old has high revisions, and that costs nothing`() {
        let first: Int64 = 1 << 50
        var history = History()
        history.add(.put(value: 1), .written, at: first, from: 0, to: 1)
        history.add(.put(value: 2), .unknown, from: 2)
        history.add(.put(value: 3), .written, at: first + 2, from: 4, to: 5)
        history.add(.get, .saw(3, create: first, mod: first + 2, version: 3), at: first + 2, from: 6, to: 7)
        #expect(history.verdict == .linearizable)
        // The only place that there was for the write without an answer is taken by another key's.
        history.add(.put(value: 1), .written, key: 1, at: first + 1, from: 2, to: 3)
        #expect(history.verdict != .linearizable)
    }

    @Test func `without revisions an order is searched for`() {
        var history = History()
        history.add(.put(value: 1), .written, from: 0, to: 10)
        history.add(.put(value: 2), .written, from: 1, to: 9)
        history.add(.put(value: 3), .written, from: 2, to: 8)
        history.add(.get, .saw(2, create: 2, mod: 4, version: 3), from: 20, to: 21)
        #expect(history.verdict == .linearizable)
    }

    @Test func `a deleted key begins a new life`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.delete, .deleted(count: 1), at: 3, from: 2, to: 3)
        history.add(.delete, .deleted(count: 0), at: 3, from: 4, to: 5)
        history.add(.compareAndSet(modRevision: 0, value: 2), .written, at: 4, from: 6, to: 7)
        history.add(.get, .saw(2, create: 4, mod: 4, version: 1), at: 4, from: 8, to: 9)
        #expect(history.verdict == .linearizable)
    }

    @Test func `a comparison without an answer may have failed`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.compareAndSet(modRevision: 7, value: 2), .unknown, from: 2)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), at: 2, from: 4, to: 5)
        #expect(history.verdict == .linearizable)
    }

    // MARK: Bad ones

    @Test func `a stale read is refused, and explained by the write and the read`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), from: 2, to: 3)
        history.add(.put(value: 2), .written, at: 3, from: 4, to: 5)
        history.add(.put(value: 9), .unknown, from: 4)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), from: 6, to: 7)
        let violation = history.verdict.violation
        #expect(violation?.rule == .noOrder(key: 0))
        #expect(
            violation?.operations == [history.operations[0].forgotten, history.operations[2], history.operations[4]])
    }

    @Test func `a stale read is refused by its revision, even of another key`() {
        var history = History()
        history.add(.put(value: 1), .written, key: 1, at: 2, from: 0, to: 1)
        history.add(.get, .read(nil), key: 2, at: 1, from: 2, to: 3)
        #expect(history.verdict == .violation(Violation(rule: .revisionWentBack, operations: history.operations)))
    }

    @Test func `a lost update is refused`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.compareAndSet(modRevision: 2, value: 2), .written, at: 3, from: 2, to: 9)
        history.add(.compareAndSet(modRevision: 2, value: 3), .written, at: 4, from: 3, to: 8)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a lost update is refused without revisions`() {
        var history = History()
        history.add(.put(value: 1), .written, from: 0, to: 1)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), from: 2, to: 3)
        history.add(.compareAndSet(modRevision: 2, value: 2), .written, from: 4, to: 9)
        history.add(.compareAndSet(modRevision: 2, value: 3), .written, from: 4, to: 9)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a read from the future is refused`() {
        var history = History()
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), at: 2, from: 0, to: 1)
        history.add(.put(value: 1), .written, at: 2, from: 2, to: 3)
        #expect(
            history.verdict.violation?.rule == .noOrder(key: 0) || history.verdict.violation?.rule == .revisionWentBack)
        history = History()
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), from: 0, to: 1)
        history.add(.put(value: 1), .unknown, from: 2)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a value that nobody wrote is refused`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.get, .saw(5, create: 2, mod: 2, version: 1), at: 2, from: 2, to: 3)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a write without an answer that takes effect twice is refused`() {
        var history = History()
        history.add(.put(value: 1), .unknown, from: 0)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), at: 2, from: 1, to: 2)
        history.add(.put(value: 2), .written, at: 3, from: 3, to: 4)
        history.add(.get, .saw(1, create: 2, mod: 4, version: 3), at: 4, from: 5, to: 6)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a write whose answer came and whose effect went is refused`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.put(value: 2), .written, at: 3, from: 2, to: 3)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), at: 3, from: 4, to: 5)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a lost delete is refused`() {
        var history = History()
        history.add(.put(value: 1), .written, from: 0, to: 1)
        history.add(.delete, .deleted(count: 1), from: 2, to: 3)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), from: 4, to: 5)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a key that comes back with its old version is refused`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(.delete, .deleted(count: 1), at: 3, from: 2, to: 3)
        history.add(.put(value: 2), .written, at: 4, from: 4, to: 5)
        history.add(.get, .saw(2, create: 2, mod: 4, version: 2), at: 4, from: 6, to: 7)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `a comparison that should have succeeded is refused`() {
        var history = History()
        history.add(.put(value: 1), .written, at: 2, from: 0, to: 1)
        history.add(
            .compareAndSet(modRevision: 2, value: 2), .saw(1, create: 2, mod: 2, version: 1), at: 2, from: 2, to: 3)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `two reads that see two writes in opposite orders are refused`() {
        var history = History()
        history.add(.put(value: 1), .written, from: 0, to: 20)
        history.add(.put(value: 2), .written, from: 0, to: 20)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), from: 1, to: 2)
        history.add(.get, .saw(2, create: 2, mod: 3, version: 2), from: 3, to: 4)
        history.add(.get, .saw(1, create: 2, mod: 2, version: 1), from: 5, to: 6)
        #expect(history.verdict.violation?.rule == .noOrder(key: 0))
    }

    @Test func `one revision for two changes is refused`() {
        var history = History()
        history.add(.put(value: 1), .written, key: 1, at: 2, from: 0, to: 5)
        history.add(.put(value: 2), .written, key: 2, at: 2, from: 1, to: 4)
        #expect(
            history.verdict == .violation(Violation(rule: .revisionGivenTwice, operations: history.operations)))
    }

    // MARK: Neither

    @Test func `a search that is given up is no success`() {
        var history = History()
        for value in 1...14 { history.add(.put(value: UInt64(value)), .written, from: 0, to: 100) }
        history.add(.get, .saw(99, create: 2, mod: 15, version: 14), from: 200, to: 201)
        var check = LinearizabilityCheck()
        check.stepsMax = 1_000
        guard case .undecided(key: 0, let steps) = check.verdict(on: history.operations) else {
            Issue.record("decided within the bound")
            return
        }
        #expect(steps == 1_001)
    }
}

extension Operation {
    /// The same with the answer forgotten, as an explanation shows what it need not know.
    fileprivate var forgotten: Operation {
        Operation(
            client: client, key: key, request: request, outcome: .unknown, invoked: invoked, returned: returned)
    }
}
