import StrakeCtl
import Testing

@Suite struct ClusterScreenTests {
    @Test(
        "a cluster in a width and a height",
        arguments: [
            (
                120, nil,
                #"""
                cluster c1  leader m1  term 12  revision 50000  12500 revisions/s  30018 requests/s  over 2s
                watchers 80 on 8 streams  2 behind  1250 events/s  leases 3: 0.5 granted/s  0 revoked/s  7 renewed/s

                MEMBER       ROLE      ENDPOINT                ID                VERSION  TERM  INDEX  APPLIED  DB SIZE  IN USE
                m1           leader    http://127.0.0.1:2379   8e9e05c52164694d  3.7.1      12  60000    60000    21 MB  1.5 MB
                zürich-東京  follower  http://127.0.0.1:12379  fd422379fda50e48  3.7.1      12  60000    59999    21 MB  1.5 MB
                "m3\x1b[2J"  down      http://127.0.0.1:22379  91bc3c398fb3c146  -           -      -        -        -       -
                a            down      -                       a                 -           -      -        -        -       -
                ! zürich-東京: memberID:18249187646912138824 alarm:NOSPACE
                ! "m3\x1b[2J: cannot connect to http://127.0.0.1:22379: Connection refused\r\n\u009b31m"
                ! a: it has not started yet

                MEMBER       REQ/S  ERR/S  PENDING  SYNC 50/99  APPLY 50/99  PEERS 50/99  COMMIT 50/99  WATCHERS  CPU  MEMORY
                m1           15009    0.5        2    <1ms/3ms     <1ms/3ms     <1ms/3ms     <1ms/>4ms        40  45%   48 MB
                zürich-東京  15009    0.5        2    <1ms/3ms     <1ms/3ms     <1ms/3ms     <1ms/>4ms        40  45%   48 MB
                "m3\x1b[2J"      -      -        -           -            -            -             -         -    -       -
                a                -      -        -           -            -            -             -         -    -       -

                METHOD          REQ/S  ERR/S     P50    P99
                Put             25000      1  <100µs  198µs
                Range            5010      0  <100µs  198µs
                LeaseKeepAlive      7      0       -      -
                Watch               1      0       -      -

                PREFIX                  EVENTS/S  PUTS/S  DELETES/S  BYTES/S
                "/registry/pods/"            250     200         50   257 kB
                "/registry/東京/"            125     125          0   3.7 kB
                "\x01\xff\x1b[2J/a/"          62      62          0   1.3 kB
                (keys without a slash)       2.5     2.5          0     27 B
                """#
            ),
            (
                80, nil,
                #"""
                cluster c1  leader m1  term 12  revision 50000  12500 revisions/s
                30018 requests/s  over 2s
                watchers 80 on 8 streams  2 behind  1250 events/s  leases 3: 0.5 granted/s
                0 revoked/s  7 renewed/s

                MEMBER       ROLE      ENDPOINT                INDEX  APPLIED  DB SIZE  IN USE
                m1           leader    http://127.0.0.1:2379   60000    60000    21 MB  1.5 MB
                zürich-東京  follower  http://127.0.0.1:12379  60000    59999    21 MB  1.5 MB
                "m3\x1b[2J"  down      http://127.0.0.1:22379      -        -        -       -
                a            down      -                           -        -        -       -
                ! zürich-東京: memberID:18249187646912138824 alarm:NOSPACE
                ! "m3\x1b[2J: cannot connect to http://127.0.0.1:22379: Connection refused\r\n\…
                ! a: it has not started yet

                MEMBER       REQ/S  SYNC 50/99  APPLY 50/99  PEERS 50/99  COMMIT 50/99  CPU
                m1           15009    <1ms/3ms     <1ms/3ms     <1ms/3ms     <1ms/>4ms  45%
                zürich-東京  15009    <1ms/3ms     <1ms/3ms     <1ms/3ms     <1ms/>4ms  45%
                "m3\x1b[2J"      -           -            -            -             -    -
                a                -           -            -            -             -    -

                METHOD          REQ/S  ERR/S     P50    P99
                Put             25000      1  <100µs  198µs
                Range            5010      0  <100µs  198µs
                LeaseKeepAlive      7      0       -      -
                Watch               1      0       -      -

                PREFIX                  EVENTS/S  PUTS/S  DELETES/S  BYTES/S
                "/registry/pods/"            250     200         50   257 kB
                "/registry/東京/"            125     125          0   3.7 kB
                "\x01\xff\x1b[2J/a/"          62      62          0   1.3 kB
                (keys without a slash)       2.5     2.5          0     27 B
                """#
            ),
            (
                40, nil,
                #"""
                cluster c1  leader m1  term 12
                revision 50000  12500 revisions/s
                30018 requests/s  over 2s
                watchers 80 on 8 streams  2 behind
                1250 events/s  leases 3: 0.5 granted/s
                0 revoked/s  7 renewed/s

                MEMBER       ROLE      INDEX  DB SIZE
                m1           leader    60000    21 MB
                zürich-東京  follower  60000    21 MB
                "m3\x1b[2J"  down          -        -
                a            down          -        -
                ! zürich-東京: memberID:182491876469121…
                ! "m3\x1b[2J: cannot connect to http://…
                ! a: it has not started yet

                MEMBER       REQ/S  SYNC 50/99
                m1           15009    <1ms/3ms
                zürich-東京  15009    <1ms/3ms
                "m3\x1b[2J"      -           -
                a                -           -

                METHOD          REQ/S     P50    P99
                Put             25000  <100µs  198µs
                Range            5010  <100µs  198µs
                LeaseKeepAlive      7       -      -
                Watch               1       -      -

                PREFIX                  EVENTS/S
                "/registry/pods/"            250
                "/registry/東京/"            125
                "\x01\xff\x1b[2J/a/"          62
                (keys without a slash)       2.5
                """#
            ),
            (
                80, 24,
                #"""
                cluster c1  leader m1  term 12  revision 50000  12500 revisions/s
                30018 requests/s  over 2s
                watchers 80 on 8 streams  2 behind  1250 events/s  leases 3: 0.5 granted/s
                0 revoked/s  7 renewed/s

                MEMBER       ROLE      ENDPOINT                INDEX  APPLIED  DB SIZE  IN USE
                m1           leader    http://127.0.0.1:2379   60000    60000    21 MB  1.5 MB
                zürich-東京  follower  http://127.0.0.1:12379  60000    59999    21 MB  1.5 MB
                "m3\x1b[2J"  down      http://127.0.0.1:22379      -        -        -       -
                a            down      -                           -        -        -       -
                ! zürich-東京: memberID:18249187646912138824 alarm:NOSPACE
                ! "m3\x1b[2J: cannot connect to http://127.0.0.1:22379: Connection refused\r\n\…
                ! a: it has not started yet

                MEMBER       REQ/S  SYNC 50/99  APPLY 50/99  PEERS 50/99  COMMIT 50/99  CPU
                m1           15009    <1ms/3ms     <1ms/3ms     <1ms/3ms     <1ms/>4ms  45%
                zürich-東京  15009    <1ms/3ms     <1ms/3ms     <1ms/3ms     <1ms/>4ms  45%
                "m3\x1b[2J"      -           -            -            -             -    -
                a                -           -            -            -             -    -

                PREFIX                EVENTS/S  PUTS/S  DELETES/S  BYTES/S
                "/registry/pods/"          250     200         50   257 kB
                "/registry/東京/"          125     125          0   3.7 kB
                "\x01\xff\x1b[2J/a/"        62      62          0   1.3 kB
                """#
            ),
            (
                40, 12,
                #"""
                cluster c1  leader m1  term 12
                revision 50000  12500 revisions/s
                30018 requests/s  over 2s
                watchers 80 on 8 streams  2 behind
                1250 events/s  leases 3: 0.5 granted/s
                0 revoked/s  7 renewed/s

                MEMBER       ROLE      INDEX  DB SIZE
                m1           leader    60000    21 MB
                zürich-東京  follower  60000    21 MB
                "m3\x1b[2J"  down          -        -
                … 10 more lines
                """#
            ),
            (
                10, 3,
                #"""
                cluster c1
                leader m1
                … 26 more…
                """#
            ),
        ] as [(Int, Int?, String)])
    func golden(width: Int, height: Int?, text: String) {
        let lines = ClusterScreen(width: width, height: height, prefixesMax: 10).lines(Fixture.views.second)
        #expect(lines.map(\.text).joined(separator: "\n") == text)
    }

    @Test func `no line is wider, and no screen higher, than was asked for`() {
        for width in 1...130 {
            for height in 1...40 {
                let lines = ClusterScreen(width: width, height: height, prefixesMax: 10).lines(Fixture.views.second)
                #expect(lines.count <= height)
                #expect(lines.allSatisfy { ScreenText.columns(of: $0.text) <= width })
            }
        }
    }

    @Test func `nothing in it moves the cursor`() {
        let screen = ClusterScreen(width: 200, height: nil, prefixesMax: 10)
        let texts = screen.lines(Fixture.views.second).map(\.text) + [Fixture.views.second.json(prefixesMax: 10)]
        let scalars = texts.flatMap(\.unicodeScalars)
        #expect(
            !scalars.contains { $0.properties.generalCategory == .control || $0.properties.generalCategory == .format })
    }

    @Test func `the first sample has dashes for rates, and no prefixes yet`() {
        let lines = ClusterScreen(width: 120, height: nil, prefixesMax: 10).lines(Fixture.views.first).map(\.text)
        #expect(lines[0] == "cluster c1  leader m1  term 12  revision 25000  - revisions/s  - requests/s")
        #expect(!lines.contains { $0.hasPrefix("PREFIX") || $0.hasPrefix("METHOD") })
    }

    @Test func `headings and problems can be told from the rest`() {
        let lines = ClusterScreen(width: 80, height: nil, prefixesMax: 10).lines(Fixture.views.second)
        #expect(lines.filter { $0.style == .heading }.allSatisfy { $0.text.contains("  ") && !$0.text.hasPrefix("!") })
        #expect(lines.filter { $0.style == .heading }.count == 4)
        #expect(lines.filter { $0.style == .problem }.count == 3)
        #expect(lines.filter { $0.style == .problem }.allSatisfy { $0.text.hasPrefix("! ") })
    }

    @Test func `as many prefixes are shown as were asked for, those beyond the table among them`() {
        var view = Fixture.views.second
        view.otherPrefixes = view.prefixes?[2]
        let lines = ClusterScreen(width: 80, height: nil, prefixesMax: 3).lines(view).map(\.text)
        let heading = lines.firstIndex { $0.hasPrefix("PREFIX") } ?? 0
        #expect(
            lines[(heading + 1)...].map { $0.prefix(14) } == [#""/registry/pod"#, #""/registry/東京/"#, "(prefixes beyo"])
        view.prefixes = nil
        #expect(
            !ClusterScreen(width: 80, height: nil, prefixesMax: 3).lines(view).contains { $0.text.hasPrefix("PREFIX") })
    }

    @Test func `as JSON it is one line, keys are base64, and what is not known is left out`() {
        let text = Fixture.views.second.json(prefixesMax: 1)
        #expect(!text.contains("\n"))
        #expect(
            text.hasPrefix(#"{"interval_seconds":2,"cluster_id":"c1","leader":"m1","raft_term":12,"revision":50000,"#))
        #expect(
            text.contains(
                #""name":"\"m3\\x1b[2J\"","id":"91bc3c398fb3c146","endpoint":"http://127.0.0.1:22379","role":"down","problems""#
            ))
        #expect(
            text.contains(
                #""count":1500,"p50_seconds":0.0008333333333333334,"p50_above":0,"p50_at_most":0.001,"p99_seconds":0.004,"p99_above":0.004}"#
            ))
        #expect(
            text.hasSuffix(
                #""prefixes":[{"prefix":"L3JlZ2lzdHJ5L3BvZHMv","prefix_text":"/registry/pods/","events_per_second":250,"#
                    + #""puts_per_second":200,"deletes_per_second":50,"bytes_per_second":257445}]}"#))
        #expect(!Fixture.views.first.json(prefixesMax: 1).contains("_per_second"))
    }
}

/// A cluster with whatever may happen to one: a leader, a full follower with a name that is not ASCII, one that is down and
/// has a name that would clear the screen, and a learner that has not started.
private enum Fixture {
    static func page(_ k: UInt64) -> MemberMetrics {
        var page = MemberMetrics()
        page.gauges = [
            .started: 1, .watchers: 40, .watchStreams: 4, .slowWatchers: 1, .residentBytes: 48_000_000, .leases: 3,
            .proposalsPending: 2,
        ]
        page.counters = [
            .cpuSeconds: Double(k) * 0.9, .watchEvents: Double(k * 1_250), .leasesGranted: Double(k), .leasesRevoked: 0,
            .leasesRenewed: Double(k * 7),
        ]
        for timing in MemberMetrics.Timing.allCases {
            let last: UInt64 = timing == .backendCommit ? 1_500 : 1_000
            page.timings[timing] = BucketCountsTests.counts([
                (0.001, 900 * k), (0.002, 980 * k), (0.004, 1_000 * k), (.infinity, last * k),
            ])
        }
        let methods: [(String, UInt64)] = [("Put", 25_000), ("Range", 5_010), ("LeaseKeepAlive", 7), ("Watch", 1)]
        for (name, count) in methods {
            page.change(method: name) { method in
                method.requests = count * k
                method.failures = name == "Put" ? k : 0
                guard name == "Put" || name == "Range" else { return }
                method.times = BucketCountsTests.counts([
                    (0.0001, count / 2 * k), (0.0002, count * k), (.infinity, count * k),
                ])
            }
        }
        return page
    }

    static func members(_ k: UInt64) -> [MemberSample] {
        let names = ["m1", "zürich-東京", "m3\u{1B}[2J", ""]
        let ids: [UInt64] = [0x8e9e_05c5_2164_694d, 0xfd42_2379_fda5_0e48, 0x91bc_3c39_8fb3_c146, 0xa]
        var members = (0..<4).map { MemberSample(endpoint: "http://127.0.0.1:\(2_379 + $0 * 10_000)") }
        for place in members.indices { (members[place].name, members[place].id) = (names[place], ids[place]) }
        for place in 0..<2 {
            var status = MemberSample.Status()
            (status.clusterID, status.version, status.leader, status.term) = (0xC1, "3.7.1", ids[0], 12)
            (status.revision, status.index) = (Int64(25_000 * k), 30_000 * k)
            status.applied = status.index - UInt64(place)
            (status.dbSize, status.dbSizeInUse) = (21_000_000, 1_500_000)
            if place == 1 { status.errors = ["memberID:18249187646912138824 alarm:NOSPACE "] }
            (members[place].status, members[place].metrics) = (status, page(k))
            members[place].takenAt = Double(k) * 2
        }
        members[2].problem = "cannot connect to http://127.0.0.1:22379: Connection refused\r\n\u{9B}31m"
        members[3].endpoint = ""
        members[3].problem = "it has not started yet"
        return members
    }

    static func sample(_ k: UInt64) -> ClusterSample {
        var table = PrefixTable(depth: 2)
        for number in 0..<500 {
            let web = Array("/registry/pods/default/web-\(number)".utf8)
            table.add(key: web, valueBytes: 1_000, isDelete: number % 5 == 0)
            let unicode = Array("/registry/東京/\(number)".utf8)
            if number % 2 == 0 { table.add(key: unicode, valueBytes: 10, isDelete: false) }
            let binary: [UInt8] = [0x01, 0xFF, 0x1B, 0x5B, 0x32, 0x4A, 0x2F, 0x61, 0x2F, 0x62]
            if number % 4 == 0 { table.add(key: binary, valueBytes: 10, isDelete: false) }
            if number % 100 == 0 { table.add(key: [0x61], valueBytes: 10, isDelete: false) }
        }
        return ClusterSample(takenAt: Double(k) * 2, members: members(k), prefixes: table.take())
    }

    static let views: (first: ClusterView, second: ClusterView) = {
        var model = ClusterModel()
        return (model.take(sample(1)), model.take(sample(2)))
    }()
}
