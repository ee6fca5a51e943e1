import StrakeCtl
import Testing

@Suite struct ClusterModelTests {
    static func page(
        started: Double = 100, puts: UInt64 = 0, failures: UInt64 = 0, cpu: Double = 0, syncs: [(Double, UInt64)] = []
    ) -> MemberMetrics {
        var page = MemberMetrics()
        page.gauges[.started] = started
        page.counters[.cpuSeconds] = cpu
        page.timings[.walSync] = BucketCountsTests.counts(syncs)
        page.change(method: "Put") { method in
            (method.requests, method.failures) = (puts, failures)
            method.times = BucketCountsTests.counts([(0.001, puts), (.infinity, puts)])
        }
        return page
    }

    static func member(
        _ id: UInt64, at time: Double, _ page: MemberMetrics?, leader: UInt64 = 1, term: UInt64 = 2, revision: Int64 = 1
    ) -> MemberSample {
        var sample = MemberSample(endpoint: "127.0.0.1:\(2_378 + id)")
        (sample.id, sample.name) = (id, "m\(id)")
        var status = MemberSample.Status()
        (status.leader, status.term, status.revision, status.clusterID) = (leader, term, revision, 0xC1)
        sample.status = status
        (sample.metrics, sample.takenAt) = (page, time)
        return sample
    }

    private static func sample(_ members: [MemberSample]) -> ClusterSample {
        ClusterSample(takenAt: members[0].takenAt, members: members)
    }

    @Test func `the first sample has no rates`() {
        var model = ClusterModel()
        let view = model.take(Self.sample([Self.member(1, at: 10, Self.page(puts: 500, cpu: 3))]))
        #expect(view.seconds == nil && view.revisionsPerSecond == nil && view.requestsPerSecond == nil)
        #expect(view.methods.isEmpty && view.members[0].rates.isEmpty && view.members[0].timings.isEmpty)
        #expect(view.leader == "m1" && view.term == 2 && view.revision == 1 && view.clusterID == 0xC1)
    }

    @Test func `rates are those between the samples, of all members together`() throws {
        var model = ClusterModel()
        _ = model.take(
            Self.sample([
                Self.member(
                    1, at: 10, Self.page(puts: 500, cpu: 3, syncs: [(0.001, 7), (.infinity, 9)]), revision: 100),
                Self.member(2, at: 10, Self.page(puts: 10)),
            ]))
        let view = model.take(
            Self.sample([
                Self.member(
                    1, at: 12, Self.page(puts: 700, failures: 4, cpu: 4, syncs: [(0.001, 7), (.infinity, 19)]),
                    revision: 300),
                Self.member(2, at: 12, Self.page(puts: 20)),
            ]))
        #expect(view.seconds == 2 && view.revision == 300 && view.revisionsPerSecond == 100)
        #expect(view.members.map(\.requestsPerSecond) == [100, 5])
        #expect(view.members.map(\.role) == [.leader, .follower])
        #expect(view.requestsPerSecond == 105 && view.failuresPerSecond == 2)
        #expect(view.members[0].rates[.cpuSeconds] == 0.5)
        #expect(view.members[0].timings[.walSync]?.total == 10)
        let put = try #require(view.methods.first)
        #expect(put.name == "Put" && put.requestsPerSecond == 105 && put.times.total == 210)
    }

    @Test func `a restarted member counts from its start`() {
        var model = ClusterModel()
        let syncs = [(0.001, 50 as UInt64), (.infinity, 50)]
        _ = model.take(Self.sample([Self.member(1, at: 10, Self.page(puts: 30, cpu: 9, syncs: syncs))]))
        // It has done more since than before, so that only the start tells.
        let view = model.take(
            Self.sample([Self.member(1, at: 20, Self.page(started: 200, puts: 40, cpu: 1, syncs: syncs))]))
        #expect(view.members[0].requestsPerSecond == 4 && view.members[0].rates[.cpuSeconds] == 0.1)
        #expect(view.members[0].timings[.walSync]?.total == 50)
    }

    @Test func `another start with more CPU time is the same process`() {
        var model = ClusterModel()
        _ = model.take(Self.sample([Self.member(1, at: 10, Self.page(puts: 30, cpu: 9))]))
        let view = model.take(Self.sample([Self.member(1, at: 20, Self.page(started: 200, puts: 40, cpu: 10))]))
        #expect(view.members[0].requestsPerSecond == 1 && view.members[0].rates[.cpuSeconds] == 0.1)
    }

    @Test func `counters that have fallen are a restart, where no start is told`() {
        var model = ClusterModel()
        func page(_ events: Double) -> MemberMetrics {
            var page = MemberMetrics()
            page.counters[.watchEvents] = events
            return page
        }
        _ = model.take(Self.sample([Self.member(1, at: 10, page(1_000))]))
        #expect(model.take(Self.sample([Self.member(1, at: 12, page(20))])).members[0].rates[.watchEvents] == 10)
    }

    @Test func `after a time away rates are those of all the time`() {
        var model = ClusterModel()
        _ = model.take(Self.sample([Self.member(1, at: 10, Self.page(puts: 100))]))
        var away = MemberSample(endpoint: "127.0.0.1:2379")
        (away.id, away.problem) = (1, "nobody answers")
        let gap = model.take(ClusterSample(takenAt: 12, members: [away]))
        #expect(gap.members[0].role == .down && gap.members[0].requestsPerSecond == nil)
        #expect(gap.members[0].problems == ["nobody answers"] && gap.leader == nil)
        let back = model.take(Self.sample([Self.member(1, at: 14, Self.page(puts: 180))]))
        #expect(back.members[0].requestsPerSecond == 20)
    }

    @Test func `members that are gone are forgotten`() {
        var model = ClusterModel()
        _ = model.take(Self.sample([Self.member(1, at: 10, Self.page()), Self.member(2, at: 10, Self.page(puts: 5))]))
        _ = model.take(Self.sample([Self.member(1, at: 12, Self.page())]))
        let view = model.take(
            Self.sample([Self.member(1, at: 14, Self.page()), Self.member(2, at: 14, Self.page(puts: 9))]))
        #expect(view.members[1].requestsPerSecond == nil)
    }

    @Test func `whoever has the highest term knows the leader`() {
        var model = ClusterModel()
        let view = model.take(
            Self.sample([
                Self.member(1, at: 10, nil, leader: 1, term: 2, revision: 9),
                Self.member(2, at: 10, nil, leader: 3, term: 4),
                Self.member(3, at: 10, nil, leader: 0, term: 3),
            ]))
        #expect(view.leader == "m3" && view.term == 4 && view.revision == 9)
        #expect(view.members.map(\.role) == [.leader, .follower, .leaderless])
    }

    @Test func `a lower revision is another history, and has no rate`() {
        var model = ClusterModel()
        _ = model.take(Self.sample([Self.member(1, at: 10, nil, revision: 500)]))
        #expect(model.take(Self.sample([Self.member(1, at: 11, nil, revision: 20)])).revisionsPerSecond == nil)
    }

    @Test func `the busiest prefixes and methods come first`() {
        var model = ClusterModel()
        func sample(_ time: Double, _ scale: UInt64) -> ClusterSample {
            var page = MemberMetrics()
            for (name, count) in [("Range", 3), ("Put", 3), ("Txn", 8), ("Hash", 0)] as [(String, UInt64)] {
                page.change(method: name) { $0.requests = count * scale }
            }
            var table = PrefixTable(depth: 1)
            for key in ["b/1", "a/1", "c/1", "c/2"] {
                table.add(key: Array(key.utf8), valueBytes: 1, isDelete: key == "c/2")
            }
            return ClusterSample(takenAt: time, members: [Self.member(1, at: time, page)], prefixes: table.take())
        }
        #expect(model.take(sample(1, 1)).prefixes == nil)
        let view = model.take(sample(3, 2))
        #expect(view.methods.map(\.name) == ["Txn", "Put", "Range"])
        #expect(view.prefixes?.map { String(decoding: $0.bytes, as: UTF8.self) } == ["c/", "a/", "b/"])
        #expect(view.prefixes?[0].putsPerSecond == 0.5 && view.prefixes?[0].deletesPerSecond == 0.5)
        #expect(view.prefixes?[0].bytesPerSecond == 4 && view.otherPrefixes == nil)
    }
}
