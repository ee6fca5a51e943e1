import StrakeStore
import StrakeTemporaryDirectory
import Testing

struct ChangeTests {
    @Test func `a put is answered at its revision and can be read, now and at its revision`() async throws {
        try await withStore { store in
            #expect(try await store.put("/boats/1", "sloop").revision == 2)
            let put = try await store.put("/boats/1", "ketch", wantsPrevious: true)
            #expect(put.revision == 3)
            #expect(put.previous?.text == "sloop")
            let now = try #require(try await store.get("/boats/1"))
            #expect((now.text, now.keyText, now.version) == ("ketch", "/boats/1", 2))
            #expect((now.createRevision, now.modRevision) == (2, 3))
            #expect(try await store.get("/boats/1", at: 2)?.text == "sloop")
            #expect(try await store.get("/boats/2") == nil)
        }
    }

    @Test func `a delete takes a range in one revision, and none where there is nothing`() async throws {
        try await withStore { store in
            for number in 0..<5 { try await store.put("/a/\(number)", "v") }
            try await store.put("/b", "v")
            let deleted = try await store.delete(.prefix("/a/"), wantsPrevious: true)
            #expect(deleted.deleted == 5)
            #expect(deleted.revision == 8)
            #expect(deleted.previous.map(\.keyText) == (0..<5).map { "/a/\($0)" })
            #expect(try await store.delete("/a/1").revision == 8)
            #expect(try await store.range(.all).keyValues.map(\.keyText) == ["/b"])
        }
    }

    @Test func `a transaction does one branch, and what only reads takes no revision`() async throws {
        try await withStore { store in
            let create = TxnRequest(
                compare: [.isMissing("lock")], success: [.put("lock", "me")], failure: [.get("lock")])
            #expect(try await store.txn(create).succeeded)
            let second = try await store.txn(create)
            #expect(!second.succeeded)
            guard case .range(let found)? = second.responses.first else {
                Issue.record("\(second)")
                return
            }
            #expect(found.keyValues.map(\.text) == ["me"])
            let mod = try #require(try await store.get("lock")).modRevision
            let swapped = try await store.txn(
                if: [.modRevision(of: "lock", .equal, mod), .value(of: "lock", .equal, "me")],
                then: [.put("lock", "you"), .put("other", "x")])
            #expect(swapped.succeeded)
            let before = store.revision
            let read = try await store.txn(if: [.exists("lock")], then: [.get("lock"), .get(.prefix("o"))])
            #expect(read.succeeded && read.responses.count == 2)
            #expect(store.revision == before)
        }
    }

    @Test func `what a request can be refused for has a type`() async throws {
        var options = EmbeddedStore.Limits()
        options.requestBytesMax = 1_000
        options.txnOperationsMax = 2
        try await withStore(limits: options) { store in
            await #expect(throws: EmbeddedStoreError.refused(.emptyKey)) { try await store.put("", "v") }
            await #expect(throws: EmbeddedStoreError.refused(.emptyKey)) { try await store.get("") }
            await #expect(throws: EmbeddedStoreError.refused(.requestTooLarge)) {
                try await store.put("k", [UInt8](repeating: 0, count: 1_001))
            }
            await #expect(throws: EmbeddedStoreError.refused(.leaseNotFound)) {
                try await store.put("k", "v", lease: LeaseID(rawValue: 5))
            }
            await #expect(throws: EmbeddedStoreError.refused(.tooManyOperations)) {
                try await store.txn(if: [], then: [.get("a"), .get("b"), .get("c")])
            }
            await #expect(throws: EmbeddedStoreError.refused(.duplicateKey)) {
                try await store.txn(if: [], then: [.put("a", "1"), .put("a", "2")])
            }
            await #expect(throws: EmbeddedStoreError.refused(.futureRevision(requested: 9, current: 1))) {
                try await store.get("a", at: 9)
            }
            var kept = PutRequest(key: [1], value: [])
            kept.ignoreValue = true
            await #expect(throws: EmbeddedStoreError.refused(.keyNotFound)) { try await store.put(kept) }
        }
    }

    @Test func `what was compacted cannot be read, and what keys hold stays`() async throws {
        try await withStore { store in
            for value in ["1", "2", "3"] { try await store.put("k", value) }
            try await store.compact(through: 3, wait: .forSpace)
            #expect(store.status.compactRevision == 3)
            await #expect(throws: EmbeddedStoreError.refused(.compacted(requested: 2, compactRevision: 3))) {
                try await store.get("k", at: 2)
            }
            #expect(try await store.get("k", at: 3)?.text == "2")
            #expect(try await store.get("k")?.text == "3")
            await #expect(throws: EmbeddedStoreError.self) { try await store.compact(through: 3) }
            await #expect(throws: EmbeddedStoreError.refused(.futureRevision(requested: 99, current: 4))) {
                try await store.compact(through: 99)
            }
        }
    }

    @Test func `puts that come at the same time share flushes`() async throws {
        // Where a flush costs something.
        try await withStore(in: .disk) { store in
            let before = store.status.logFlushes
            let count = 2_000
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<count {
                    group.addTask { try await store.put("k\(number)", "v").revision }
                }
                var revisions: Set<Int64> = []
                for try await revision in group { revisions.insert(revision) }
                #expect(revisions == Set(2...Int64(count + 1)))
            }
            let flushes = store.status.logFlushes - before
            #expect(flushes >= 1 && flushes < count / 2, "\(flushes) flushes for \(count) puts")
        }
    }

    @Test func `a quota that is used up refuses what takes room until the alarm is taken back`() async throws {
        let directory = TemporaryDirectory()
        var options = StoreOptions(dataDirectory: directory.path + "/data")
        options.quotaBytes = 1 << 20
        try await EmbeddedStore.withStore(options) { store in
            let value = [UInt8](repeating: 1, count: 100_000)
            var refusal: EmbeddedStoreError?
            for number in 0..<100 where refusal == nil {
                do throws(EmbeddedStoreError) {
                    try await store.put("k\(number)", value)
                } catch {
                    refusal = error
                }
            }
            #expect(refusal == .refused(.noSpace))
            // The alarm is raised through the log: a change behind it is refused by it.
            await #expect(throws: EmbeddedStoreError.refused(.noSpace)) { try await store.put("more", "v") }
            try await store.delete(.all)
            #expect(store.status.alarms == [.noSpace(member: store.status.memberID)])
            try await store.disarmAlarms()
            #expect(store.status.alarms.isEmpty)
        }
    }

    @Test func `a canceled task is told so, and before it has asked nothing happens`() async throws {
        try await withStore { store in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await store.put("k", "v")
            }
            await #expect(throws: EmbeddedStoreError.canceled) { try await task.value }
            #expect(store.revision == 1)
        }
    }

    @Test(
        "an error says whether the change may have been made",
        arguments: [
            (.refused(.timeout), true), (.refused(.timeoutConnectionLost), true), (.refused(.stopped), true),
            (.canceled, true), (.failed("disk"), true), (.refused(.leaderChanged), false),
            (.refused(.deadlineExceeded), false), (.refused(.tooManyRequests), false), (.refused(.noSpace), false),
            (.answerTooLarge(bytesMax: 1), false), (.carriedOutUnanswered(bytesMax: 1), true),
            (.damaged("record"), false),
        ] as [(EmbeddedStoreError, Bool)])
    func mayHaveHappened(error: EmbeddedStoreError, mayHaveHappened: Bool) {
        #expect(error.mayHaveHappened == mayHaveHappened)
    }
}
