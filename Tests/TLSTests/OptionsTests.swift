import StrakeTLS
import Testing

struct OptionsTests {
    let files = Files()

    private func problem(_ change: (inout TLSOptions) -> Void) -> String {
        var options = TLSOptions()
        options.identity = files.identity("server")
        change(&options)
        do throws(TLSError) {
            _ = try TLSServer(options, onProblem: { _ in }, onRejected: { _ in })
            return "none"
        } catch {
            return error.description
        }
    }

    private func problem(certificate: String) -> String { problem { $0.identity?.certificateFile = certificate } }

    private func problem(key: String) -> String { problem { $0.identity?.keyFile = key } }

    @Test func `a file that cannot be used is named`() {
        let other = files.identity("other")
        let junk = files.write("no certificate", to: "junk")
        #expect(problem { _ in } == "none")
        #expect(
            problem(certificate: "/nonexistent") == "open /nonexistent: no such file or directory")
        #expect(problem(key: "/nonexistent") == "open /nonexistent: no such file or directory")
        #expect(problem(certificate: junk).hasPrefix("\(junk): no PEM certificate"))
        #expect(problem(key: junk).hasPrefix("\(junk): no PEM private key"))
        let mismatch = problem(key: other.keyFile)
        #expect(mismatch.hasPrefix("\(other.keyFile): private key does not match public key of"))
        #expect(
            problem {
                $0.requiresClientCertificate = true
                $0.trustedCAFile = junk
            }.hasPrefix("\(junk): no PEM certificate"))
        #expect(problem { $0.revocationFile = junk } == "\(junk): neither a DER nor a PEM certificate revocation list")
        #expect(
            problem {
                $0.allowedCommonNames = ["a"]
                $0.allowedHostnames = ["b", "c"]
            } == "AllowedCN and AllowedHostname are mutually exclusive (cn=[\"a\"], hostname=[\"b\" \"c\"])")
        #expect(problem { $0.identity = nil } == "KeyFile and CertFile are not presented")
    }

    @Test func `suites and versions have etcd's names`() throws {
        #expect(try CipherSuite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305").name.hasSuffix("POLY1305_SHA256"))
        #expect(throws: TLSError("unexpected TLS cipher suite \"FOO\"")) { try CipherSuite("FOO") }
        #expect(throws: TLSError.self) { try CipherSuite("TLS_RSA_WITH_RC4_128_SHA") }
        #expect(try TLSProtocolVersion.parse("") == nil)
        #expect(try TLSProtocolVersion.parse("TLS1.3") == .tls13)
        #expect(throws: TLSError("unexpected TLS version \"TLS9\" (must be one of: TLS1.2, TLS1.3)")) {
            try TLSProtocolVersion.parse("TLS9")
        }
    }
}
