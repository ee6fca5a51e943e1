import StrakeMVCC
import StrakeModel
import StrakeTables
import Testing

struct ReplayTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test func `changes are replayed in order from the file and both layers`() throws {
        var expected: [String] = []
        func write(_ count: Int) throws {
            for _ in 0..<count {
                let revision = fixture.revision + 1
                try fixture.txn(TxnRequest(success: [.put("a"), .put("b")]))
                expected += ["\(revision).0 put a", "\(revision).1 put b"]
            }
        }
        try write(3)
        try fixture.checkpoint()
        try write(300)
        let work = try #require(fixture.freeze())
        try write(4)
        fixture.publish()
        #expect(try fixture.changes(from: 1) == expected)
        #expect(try fixture.changes(from: 306) == Array(expected[608...]))
        try work.run()
        // The file and the frozen layer hold the same changes now.
        #expect(try fixture.changes(from: 1) == expected)
        fixture.finish(work)
        #expect(try fixture.changes(from: 1) == expected)
        #expect(try fixture.changes(from: 4) == Array(expected[4...]))
    }

    @Test(arguments: [EventCut.betweenRevisions, .anywhere])
    func `slices of a replay make up the whole`(cut: EventCut) throws {
        for number in 0..<60 {
            try fixture.txn(TxnRequest(success: [.put("a\(number)"), .put("b"), .put("c")]))
            if number == 30 { try fixture.checkpoint() }
        }
        fixture.publish()
        var seen: [Revision] = []
        var position: Revision? = Revision(main: 2)
        var slices = 0
        while let from = position {
            slices += 1
            position = try fixture.reader.withView { view throws(MVCCError) in
                try view.events(from: from, through: 50, byteBudget: 500, cut: cut) { seen.append($0.header.revision) }
            }
            if cut == .betweenRevisions, let position { #expect(position.sub == 0) }
        }
        #expect(seen == (Int64(2)...50).flatMap { main in (Int32(0)..<3).map { Revision(main: main, sub: $0) } })
        #expect(slices > 20)
    }

    @Test func `the previous value is the state one revision earlier`() throws {
        try fixture.put("a", "1")  // 2
        try fixture.put("a", "2")  // 3
        try fixture.delete("a")  // 4
        try fixture.put("a", "3")  // 5
        try fixture.txn(TxnRequest(success: [.put("a", "4"), .delete("a", to: "\0"), .put("a", "5")]))  // 6
        let expected: [Revision: String?] = [
            Revision(main: 2): nil, Revision(main: 3): "1", Revision(main: 4): "2", Revision(main: 5): nil,
            Revision(main: 6, sub: 0): "3", Revision(main: 6, sub: 1): "3",
            // Created in this revision, so etcd looks no further.
            Revision(main: 6, sub: 2): nil,
        ]
        for _ in 0..<2 {
            fixture.publish()
            #expect(try previousValues(from: 2) == expected)
            try fixture.checkpoint()
        }
        try fixture.compact(through: 3)
        fixture.publish()
        // Nothing is removed yet; only arithmetic can tell.
        #expect(try previousValues(from: 3)[Revision(main: 3)] == .some(nil))
        #expect(try previousValues(from: 3)[Revision(main: 4)] == "2")
    }

    private func previousValues(from: Int64) throws -> [Revision: String?] {
        try fixture.reader.withView { view throws(MVCCError) in
            var events: [EventRecord] = []
            _ = try view.events(from: Revision(main: from), through: .max, byteBudget: .max) { event in
                events.append(
                    EventRecord(header: event.header, key: [UInt8](event.key), value: [UInt8](event.value)))
            }
            var values: [Revision: String?] = [:]
            for event in events {
                let previous = try event.key.lent { key throws(MVCCError) in
                    try view.previous(of: event.header, key: key)
                }
                values[event.header.revision] = .some(previous?.value.text)
            }
            return values
        }
    }
}

extension [UInt8] {
    func lent<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
