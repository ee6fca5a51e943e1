internal import StrakePeers
internal import StrakeRaft
internal import StrakeStore
internal import Synchronization
internal import Testing

@Suite(.timeLimit(.minutes(5)))
struct DiscoveryTests {
    @Test func `a member that is no member yet learns who is in the cluster, from the first one that answers`()
        async throws
    {
        let description = ClusterDescription(
            cluster: 0xc1, peerURLs: [1: ["http://127.0.0.1:1"], 7: ["http://127.0.0.1:7", "http://127.0.0.1:8"]],
            learners: [7])
        let gone = try await TestMember.open(3)
        let dead = gone.url
        gone.transport.close()
        let closed = try await TestMember.open(2)
        let member = try await TestMember.open(1)
        member.receiver.described.withLock { $0 = description }
        // The second one tells nobody.
        let urls = try [dead, closed.url, member.url].map { try PeerURL($0) }
        #expect(await ClusterDiscovery.ask(urls) == description)
        #expect(await ClusterDiscovery.ask(Array(urls.prefix(2))) == nil)
        #expect(await ClusterDiscovery.ask([]) == nil)
        closed.transport.close()
        member.transport.close()
    }
}
