import StrakeCtl
import Testing

@Suite struct MemberMetricsTests {
    private static func read(_ page: String) -> MemberMetrics { MemberMetrics(page: Array(page.utf8)) }

    @Test func `the families of interest are taken from a page`() {
        let page = Self.read(
            """
            # HELP etcd_debugging_mvcc_watcher_total Total number of watchers.
            # TYPE etcd_debugging_mvcc_watcher_total gauge
            etcd_debugging_mvcc_watcher_total 12
            process_resident_memory_bytes 1.5e+07
            process_cpu_seconds_total 3.25
            etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 5
            etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 7
            etcd_disk_wal_fsync_duration_seconds_sum 0.1
            etcd_disk_wal_fsync_duration_seconds_count 7
            etcd_server_apply_duration_seconds_bucket{op="Put",success="true",version="v3",le="0.001"} 1
            etcd_server_apply_duration_seconds_bucket{op="Txn",success="true",version="v3",le="0.001"} 2
            go_goroutines 40

            """)
        #expect(page.gauges == [.watchers: 12, .residentBytes: 1.5e7])
        #expect(page.counters == [.cpuSeconds: 3.25])
        #expect(page.timings[.walSync] == BucketCountsTests.counts([(0.001, 5), (.infinity, 7)]))
        #expect(page.timings[.apply] == BucketCountsTests.counts([(0.001, 3)]))
        #expect(page.timings.count == 2 && page.methods.isEmpty)
    }

    @Test func `methods are those that were called, with their failures and times`() throws {
        let labels = #"grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary""#
        let page = Self.read(
            """
            grpc_server_msg_received_total{\(labels)} 9
            grpc_server_msg_received_total{grpc_method="Hash",grpc_service="etcdserverpb.Maintenance",grpc_type="unary"} 0
            grpc_server_handled_total{grpc_code="OK",\(labels)} 6
            grpc_server_handled_total{grpc_code="Unavailable",\(labels)} 2
            grpc_server_handled_total{grpc_code="ResourceExhausted",\(labels)} 1
            grpc_server_msg_received_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"} 4
            grpc_server_handled_total{grpc_code="Canceled",grpc_method="Watch",grpc_service="etcdserverpb.Watch",\
            grpc_type="bidi_stream"} 4
            etcd_server_request_duration_seconds_bucket{type="Put",success="true",le="0.0001"} 6
            etcd_server_request_duration_seconds_bucket{type="Put",success="false",le="0.0001"} 3
            """)
        #expect(page.methods.keys.sorted() == ["Put", "Watch"])
        let put = try #require(page.methods["Put"])
        #expect(put.requests == 9 && put.failures == 3)
        #expect(put.times == BucketCountsTests.counts([(0.0001, 9)]))
        // A watch that its client has ended has not failed.
        #expect(page.methods["Watch"]?.failures == 0)
    }

    @Test(
        "lines that are none are passed over",
        arguments: [
            "etcd_debugging_mvcc_watcher_total", "etcd_debugging_mvcc_watcher_total ",
            "etcd_debugging_mvcc_watcher_total x",
            "etcd_debugging_mvcc_watcher_total NaN", "etcd_debugging_mvcc_watcher_total -1",
            "etcd_debugging_mvcc_watcher_total 1e300", #"etcd_debugging_mvcc_watcher_total{a="b 3"#,
            #"etcd_debugging_mvcc_watcher_total{a="b\"#, "etcd_debugging_mvcc_watcher_total{a} 3", "{", "", "\u{FF}\0",
            #"etcd_disk_wal_fsync_duration_seconds_bucket{le="1e300"} 3"#,
            #"etcd_disk_wal_fsync_duration_seconds_bucket{le="-1"} 3"#, "etcd_disk_wal_fsync_duration_seconds_bucket 3",
        ])
    func malformed(line: String) {
        #expect(Self.read(line + "\n") == MemberMetrics())
    }

    @Test func `labels may hold anything, and a time may follow`() {
        let page = Self.read(#"etcd_debugging_mvcc_watcher_total{a="x\"} 9\\\n",b=""} 3 1700000000"#)
        #expect(page.gauges == [.watchers: 3])
    }

    @Test func `no page makes the methods many`() {
        let lines = (0..<1_000).map { "grpc_server_msg_received_total{grpc_method=\"m\($0)\"} 1\n" }
        #expect(Self.read(lines.joined()).methods.count == MemberMetrics.methodsMax)
    }
}
