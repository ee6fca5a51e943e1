internal import StrakeClient
internal import StrakeModel
internal import Testing

@Suite struct ValueTests {
    @Test(
        "endpoints are read as etcdctl takes them",
        arguments: [
            ("127.0.0.1:2379", .host("127.0.0.1", port: 2379), nil),
            ("http://example:80/", .host("example", port: 80), false),
            ("https://[::1]:443", .host("::1", port: 443), true),
            ("unix:///run/strake.sock", .socket(path: "/run/strake.sock"), false),
            ("unixs:///run/strake.sock", .socket(path: "/run/strake.sock"), true),
        ] as [(String, Address.Place, Bool?)])
    func endpoints(text: String, place: Address.Place, isSecure: Bool?) throws {
        let address = try Address(text)
        #expect(address.place == place && address.isSecure == isSecure && address.text == text)
    }

    @Test(
        "an endpoint that is none is refused, with its text",
        arguments: ["", "host", "host:0", ":1", "ftp://a:1", "::1:5", "a/b:1", "unix://"])
    func badEndpoints(text: String) {
        #expect { try Address(text) } throws: { error in
            let error = error as? StrakeClientError
            return error?.code == .invalidArgument && error?.message.contains("\"\(text)\"") == true
        }
    }

    @Test func `a client with files that it cannot use is refused, where it would need them`() throws {
        var options = StrakeClient.Options()
        options.security = StrakeClient.Security()
        options.security?.trustedCAFile = "/nonexistent"
        let missing = #expect(throws: StrakeClientError.self) {
            try StrakeClient(endpoints: ["127.0.0.1:1"], options: options)
        }
        #expect(missing?.code == .invalidArgument)
        #expect(missing?.message == "security: open /nonexistent: no such file or directory")
        _ = try StrakeClient(endpoints: ["http://127.0.0.1:1"], options: options)
        options.security?.certificateFile = "/nonexistent"
        let half = #expect(throws: StrakeClientError.self) {
            try StrakeClient(endpoints: ["http://127.0.0.1:1"], options: options)
        }
        #expect(half?.message == "security: certificateFile and keyFile go together")
    }

    @Test(
        "a timeout never shrinks on its way",
        arguments: [
            (1, "1u"), (1_000, "1u"), (1_001, "2u"), (5_000_000_000, "5000000u"), (200_000_000_000, "200000m"),
            (200_000_000_000_000, "200000S"), (Int64.max, "2562048H"),
        ] as [(Int64, String)])
    func timeouts(nanoseconds: Int64, text: String) {
        #expect(TimeoutHeader.text(nanoseconds: nanoseconds) == text)
    }

    @Test(
        "the keys of a prefix end where the next prefix begins",
        arguments: [
            ([0x61], .before([0x62])), ([0x61, 0xFF], .before([0x62])), ([0xFF, 0xFF], .unbounded), ([], .unbounded),
        ] as [([UInt8], KeyRange.Upper)])
    func prefixes(prefix: [UInt8], upper: KeyRange.Upper) {
        #expect(KeyRange.prefix(prefix).upper == upper)
        #expect(KeyRange.prefix(prefix).lower == (prefix.isEmpty ? [0] : prefix))
    }

    @Test func `a lease is renewed after a third of its time, and given up when it must be over`() throws {
        var schedule = RenewalSchedule()
        #expect(schedule.next == .zero)
        schedule.renewed(ttlSeconds: 30, at: .seconds(1))
        #expect(schedule.next == .seconds(11))
        let lost = StrakeClientError(.unavailable, "gone")
        try schedule.failed(lost, at: .seconds(30))
        #expect(schedule.next == .seconds(30) + RenewalSchedule.pause)
        #expect { try schedule.failed(lost, at: .seconds(31)) } throws: {
            ($0 as? StrakeClientError)?.isLeaseNotFound == true
        }
    }

    @Test func `a transaction is what was put together`() async throws {
        let client = try StrakeClient(endpoints: ["127.0.0.1:1"])
        let request = client.txn()
            .if(.version(of: "a", .equal, 0), .value(of: "b", .notEqual, "x"))
            .then(.put("a", "1"), .delete(.prefix("b")))
            .else(.get("a"))
            .request
        #expect(request.compare.map(\.result) == [.equal, .notEqual])
        #expect(request.success.count == 2 && request.failure == [.get("a")])
    }
}
