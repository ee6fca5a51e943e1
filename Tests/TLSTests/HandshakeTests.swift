import StrakeTLS
import Testing

/// Over sockets: who is let in, and what both sides are told.
@Suite(.timeLimit(.minutes(5)))
struct HandshakeTests {
    let files = Files()

    private func server(
        _ identity: TLSOptions.Identity, _ change: (inout TLSOptions) -> Void = { _ in }
    ) async throws -> TestServer {
        var options = TLSOptions()
        options.identity = identity
        change(&options)
        return try await TestServer.start(options)
    }

    private func client(trusting server: TLSOptions.Identity?, as own: TLSOptions.Identity? = nil) -> TLSClient {
        var options = TLSOptions()
        options.trustedCAFile = server?.certificateFile
        options.identity = own
        return TLSClient(options)
    }

    @Test func `a client that trusts the server is served`() async throws {
        let identity = files.identity("server")
        let server = try await server(identity)
        #expect(await server.ask(client(trusting: identity)) == "nobody")
        #expect(await server.ask(client(trusting: identity), host: "localhost") == "nobody")
        #expect(server.rejectionCount == 0)
        await server.stop()
    }

    @Test func `a client does not take a certificate of others or for others`() async throws {
        let identity = files.identity("server")
        let server = try await server(identity)
        let stranger = client(trusting: files.identity("stranger"))
        #expect(await server.ask(stranger) == "TLS handshake failed: certificate verify failed")
        #expect(await server.nextRejection().reason.contains("unknown ca"))
        let answer = await server.ask(client(trusting: identity), host: "elsewhere.example")
        #expect(answer == "the certificate is not for elsewhere.example")
        var trusting = TLSOptions()
        trusting.trustsAnybody = true
        #expect(await server.ask(TLSClient(trusting), host: "elsewhere.example") == "nobody")
        await server.stop()
        let old = files.identity("old", years: -1)
        let expired = try await self.server(old)
        #expect(await expired.ask(client(trusting: old)) == "TLS handshake failed: certificate verify failed")
        #expect(await expired.ask(TLSClient(trusting)) == "nobody")
        await expired.stop()
    }

    @Test func `a client must show a certificate where one is asked for`() async throws {
        let identity = files.identity("server")
        let alice = files.identity("alice", commonName: "alice")
        let server = try await server(identity) { options in
            options.requiresClientCertificate = true
            options.trustedCAFile = alice.certificateFile
        }
        #expect(await server.ask(client(trusting: identity, as: alice)) == "alice")
        #expect(await server.ask(client(trusting: identity)).contains("certificate required"))
        #expect(await server.nextRejection().reason.contains("peer did not return a certificate"))
        let mallory = files.identity("mallory", commonName: "alice")
        #expect(await server.ask(client(trusting: identity, as: mallory)) != "alice")
        #expect(await server.nextRejection().reason.contains("certificate verify failed"))
        await server.stop()
    }

    @Test func `only allowed names are let in`() async throws {
        let identity = files.identity("server")
        let alice = files.identity("alice", commonName: "alice", hosts: ["alice.example", "10.0.0.1"])
        for (names, hosts, isLetIn) in [
            (["alice"], [], true), (["bob", "alice"], [], true), (["bob"], [], false), (["ALICE"], [], false),
            ([], ["alice.example"], true), ([], ["10.0.0.1"], true), ([], ["b.example"], false),
        ] as [([String], [String], Bool)] {
            let server = try await server(identity) { options in
                options.requiresClientCertificate = true
                options.trustedCAFile = alice.certificateFile
                options.allowedCommonNames = names
                options.allowedHostnames = hosts
            }
            let answer = await server.ask(client(trusting: identity, as: alice))
            #expect((answer == "alice") == isLetIn, "\(names) \(hosts): \(answer)")
            if !isLetIn {
                #expect(await server.nextRejection().reason.hasPrefix("client certificate authentication failed"))
            }
            await server.stop()
        }
    }

    @Test func `a certificate that names other addresses is not let in where that counts`() async throws {
        let identity = files.identity("server")
        for (hosts, isLetIn) in [
            (["127.0.0.1"], true), ([], true), (["10.0.0.1"], false), (["localhost"], true),
        ] as [([String], Bool)] {
            let alice = files.identity("alice", commonName: "alice", hosts: hosts)
            let server = try await server(identity) { options in
                options.requiresClientCertificate = true
                options.trustedCAFile = alice.certificateFile
                options.checksAddress = true
            }
            let answer = await server.ask(client(trusting: identity, as: alice))
            #expect((answer == "alice") == isLetIn, "\(hosts): \(answer)")
            await server.stop()
        }
    }

    @Test func `a revoked certificate is not let in, nor any while the list cannot be read`() async throws {
        let identity = files.identity("server")
        let alice = files.identity("alice", commonName: "alice")
        let list = files.write(revocationList([[7]]), to: "crl")
        let server = try await server(identity) { options in
            options.requiresClientCertificate = true
            options.trustedCAFile = alice.certificateFile
            options.revocationFile = list
        }
        let connects = client(trusting: identity, as: alice)
        #expect(await server.ask(connects) == "alice")
        let serial = try files.names(in: alice).serial
        files.write(PEMBlock.encoded("X509 CRL", revocationList([[7], serial])), to: "crl")
        #expect(await server.ask(connects) != "alice")
        let rejection = await server.nextRejection()
        #expect(rejection.reason.hasSuffix("revoked") && rejection.certificateNames.contains("alice"))
        files.write("nonsense", to: "crl")
        #expect(await server.ask(connects) != "alice")
        #expect(await server.ask(connects) != "alice")
        #expect(server.problems.count == 1, "each change is told once")
        files.write(revocationList([]), to: "crl")
        #expect(await server.ask(connects) == "alice")
        await server.stop()
    }

    @Test func `a certificate that is replaced is shown from then on`() async throws {
        let old = files.identity("server")
        let server = try await server(old)
        // A copy of the old one: the name of the file stays, what is in it does not.
        let oldOnly = TLSOptions.Identity(
            certificateFile: files.write(Files.read(old.certificateFile), to: "old.pem"), keyFile: "")
        #expect(await server.ask(client(trusting: oldOnly)) == "nobody")
        // The certificate alone does not fit its key: the old pair stays.
        let (certificate, key) = SelfSignedCertificate.make(hosts: ["127.0.0.1"], years: 1)
        files.write(PEMBlock.encoded("CERTIFICATE", certificate), to: "server.pem")
        #expect(await server.ask(client(trusting: oldOnly)) == "nobody")
        #expect(server.problems.count == 1)
        files.write(PEMBlock.encoded("EC PRIVATE KEY", key), to: "server.key")
        #expect(await server.ask(client(trusting: oldOnly)) == "TLS handshake failed: certificate verify failed")
        #expect(await server.ask(client(trusting: old)) == "nobody")
        await server.stop()
    }

    @Test func `what is not TLS is refused, unless it is admitted`() async throws {
        let identity = files.identity("server")
        let strict = try await server(identity)
        #expect(await strict.ask(nil) == "closed")
        #expect(await strict.nextRejection().reason == "tls: first record does not look like a TLS handshake")
        var options = TLSOptions()
        options.identity = identity
        let mild = try await TestServer.start(options, admitsPlain: true)
        #expect(await mild.ask(nil) == "plain")
        #expect(await mild.ask(client(trusting: identity)) == "nobody")
        // A record of TLS in which there is no handshake.
        #expect(await mild.ask(nil, saying: "\u{16}\u{3}\u{1}\u{0}\u{5}hello") != "plain")
        await strict.stop()
        await mild.stop()
    }

    @Test func `versions and suites are as the options say`() async throws {
        let identity = files.identity("server")
        let server = try await server(identity) { $0.minimumVersion = .tls13 }
        var old = TLSOptions()
        old.trustedCAFile = identity.certificateFile
        old.maximumVersion = .tls12
        #expect(await server.ask(TLSClient(old)).contains("protocol version"))
        await server.stop()
        let chosen = try CipherSuite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
        let picky = try await self.server(identity) { $0.cipherSuites = [chosen] }
        old.cipherSuites = [chosen]
        #expect(await picky.ask(TLSClient(old)) == "nobody")
        old.cipherSuites = [try CipherSuite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
        #expect(await picky.ask(TLSClient(old)).contains("handshake failure"))
        await picky.stop()
    }
}
