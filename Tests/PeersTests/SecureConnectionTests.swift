import StrakePeers
import StrakeRaft
import StrakeStore
import StrakeTLS
import StrakeTemporaryDirectory
import Synchronization
import Testing

/// Members whose URLs begin with https.
@Suite(.timeLimit(.minutes(5)))
struct SecureConnectionTests {
    private let directory = TemporaryDirectory()
    private let two = MemberID(rawValue: 2)

    /// Members with the same files show, and trust, the same certificate.
    private func options(files: String) throws -> TLSOptions {
        let (identity, _) = try SelfSignedCertificate.ensure(
            in: "\(directory.path)/\(files)", hosts: ["127.0.0.1"], years: 1)
        var tls = TLSOptions()
        tls.identity = identity
        tls.trustedCAFile = identity.certificateFile
        tls.requiresClientCertificate = true
        tls.checksAddress = true
        return tls
    }

    private func open(_ id: UInt64, files: String) async throws -> TestMember {
        let tls = try options(files: files)
        let server = try TLSServer(tls, protocols: PeerTLS.protocols, onProblem: { _ in }, onRejected: { _ in })
        let url = try PeerURL("https://127.0.0.1:0")
        return try await TestMember.open(id) { options in
            options.listenURLs = [url]
            options.tls = PeerTLS(server: server, client: TLSClient(tls))
        }
    }

    @Test func `members talk over TLS, in messages of any size`() async throws {
        let (first, second) = (try await open(1, files: "a"), try await open(2, files: "a"))
        for member in [first, second] { member.transport.update([first.peer, second.peer]) }
        await first.connected(to: two)
        first.transport.send([first.heartbeat(to: two, round: 3)])
        for index: UInt64 in 1...4 {
            first.transport.send([first.append(to: two, index: index, bytes: 3 << 20)])
        }
        let received = await second.receiver.messages.wait(count: 5)
        #expect(received.rounds == [3] && received.indexes == [1, 2, 3, 4])
        first.transport.close()
        second.transport.close()
    }

    @Test func `a member with the certificate of others is not let in, and lets nobody in`() async throws {
        let (first, second) = (try await open(1, files: "a"), try await open(2, files: "b"))
        for member in [first, second] { member.transport.update([first.peer, second.peer]) }
        let reason = "TLS handshake failed: certificate verify failed"
        await first.notices.wait(for: .unreachable(two, url: second.url, reason))
        await second.notices.wait(for: .unreachable(first.id, url: first.url, reason))
        #expect(second.receiver.messages.all.isEmpty)
        first.transport.close()
        second.transport.close()
    }

    @Test func `a plain URL of a member that speaks TLS leads nowhere`() async throws {
        let (first, second) = (try await TestMember.open(1), try await open(2, files: "a"))
        let plain = "http://127.0.0.1:\(second.port)"
        first.transport.update([Peer(id: two, urls: [plain])])
        await first.notices.wait(for: .unreachable(two, url: plain, "the other side ended it"))
        first.transport.close()
        second.transport.close()
    }

    @Test func `who may greet over TLS may ask over HTTP, and nobody else`() async throws {
        let member = try await open(1, files: "a")
        let description = ClusterDescription(cluster: 0xc1, peerURLs: [1: [member.url]])
        member.receiver.described.withLock { $0 = description }
        let url = try PeerURL(member.url)
        #expect(
            await ClusterDiscovery.ask([url], tls: TLSClient(try options(files: "a")), milliseconds: 30_000)
                == description)
        #expect(await ClusterDiscovery.ask([url], tls: TLSClient(try options(files: "b")), milliseconds: 30_000) == nil)
        member.transport.close()
    }
}
