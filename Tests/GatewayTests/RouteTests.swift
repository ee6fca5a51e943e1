import StrakeGateway
import Testing

@Suite struct RouteTests {
    @Test func `every path of the contract has a call, with and without its old beginning`() {
        let contract = """
            auth/authenticate auth/disable auth/enable auth/role/add auth/role/delete auth/role/get auth/role/grant
            auth/role/list auth/role/revoke auth/status auth/user/add auth/user/changepw auth/user/delete auth/user/get
            auth/user/grant auth/user/list auth/user/revoke cluster/member/add cluster/member/list cluster/member/promote
            cluster/member/remove cluster/member/update election/campaign election/leader election/observe
            election/proclaim election/resign kv/compaction kv/deleterange kv/lease/leases kv/lease/revoke
            kv/lease/timetolive kv/put kv/range kv/txn lease/grant lease/keepalive lease/leases lease/revoke
            lease/timetolive lock/lock lock/unlock maintenance/alarm maintenance/defragment maintenance/downgrade
            maintenance/hash maintenance/hashkv maintenance/snapshot maintenance/status maintenance/transfer-leadership
            watch
            """
        #expect(GatewayRoute.paths == contract.split(whereSeparator: \.isWhitespace).map(String.init))
        for path in GatewayRoute.paths {
            #expect(GatewayRoute.find("/v3/" + path)?.method == GatewayRoute.find("/v3beta/" + path)?.method)
        }
    }

    @Test(
        "paths stand for calls",
        arguments: [
            ("/v3/kv/range", "/etcdserverpb.KV/Range"), ("/v3beta/watch", "/etcdserverpb.Watch/Watch"),
            ("/v3/lock/lock", "/v3lockpb.Lock/Lock"), ("/v3/election/observe", "/v3electionpb.Election/Observe"),
            ("/v3/auth/user/grant", "/etcdserverpb.Auth/UserGrantRole"),
            ("/v3/maintenance/transfer-leadership", "/etcdserverpb.Maintenance/MoveLeader"),
            ("/v3/kv/lease/leases", "/etcdserverpb.Lease/LeaseLeases"),
            ("/v3/kv/range/", nil), ("/v3/", nil), ("/v3/kv/rangestream", nil), ("/v3/kv/range:x", nil),
        ] as [(String, String?)])
    func calls(path: String, method: String?) {
        #expect(GatewayRoute.isPrefix(of: path))
        #expect(GatewayRoute.find(path)?.method == method)
    }

    @Test(arguments: ["/v3", "/v3alpha/kv/range", "/v2/keys", "/health"])
    func `other paths are not the gateway's`(path: String) {
        #expect(!GatewayRoute.isPrefix(of: path))
    }

    @Test func `all messages that a call names can be read and written`() throws {
        for path in GatewayRoute.paths {
            #expect(try request(path, "{}".utf8) == [])
            #expect(try answer(path, []) == "{}")
        }
    }
}
