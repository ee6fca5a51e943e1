import StrakeFreePort
import StrakePeers
import StrakeStore
import StrakeTLS
import StrakeTemporaryDirectory
import Testing

/// Embedded members whose URLs begin with https.
@Suite(.timeLimit(.minutes(5)))
struct EmbeddedSecurityTests {
    private let directory = TemporaryDirectory()

    /// With the same files they show, and trust, the same certificate.
    private func security(_ files: String) throws -> PeerSecurity {
        let (identity, _) = try SelfSignedCertificate.ensure(
            in: "\(directory.path)/\(files)", hosts: ["127.0.0.1"], years: 1)
        return PeerSecurity(
            certificateFile: identity.certificateFile, keyFile: identity.keyFile,
            trustedCAFile: identity.certificateFile)
    }

    private func options(_ name: String, at url: String) -> StoreOptions {
        var options = StoreOptions(dataDirectory: "\(directory.path)/\(name)")
        options.name = name
        options.peerURLs = [url]
        options.clientURLs = []
        return options
    }

    @Test func `a member joins over TLS as a learner, and one with another certificate does not`() async throws {
        let urls = (0..<2).map { _ in "https://127.0.0.1:\(FreePort.find())" }
        var founding = options("founder", at: urls[0])
        founding.initialMembers = [InitialMember(name: "founder", peerURLs: [urls[0]])]
        // The member that joins need not have been in touch before it is counted on.
        founding.strictReconfiguration = false
        let founder = try await EmbeddedStore.open(founding, network: .tcp(security: try security("a")))
        try await founder.put("k", "v")
        _ = try await founder.addMember(peerURLs: [urls[1]])
        let foreign = PeerNetwork.tcp(joining: [urls[0]], security: try security("b"))
        await #expect(throws: StoreStartError.self) {
            try await EmbeddedStore.open(options("foreign", at: urls[1]), network: foreign)
        }
        let joined = try await EmbeddedStore.open(
            options("joined", at: urls[1]), network: .tcp(joining: [urls[0]], security: try security("a")))
        try await joined.untilReady()
        #expect(joined.status.isLearner)
        #expect(try await joined.get("k", .local)?.text == "v")
        await joined.close()
        await founder.close()
    }
}
