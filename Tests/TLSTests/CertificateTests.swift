import StrakeTLS
import Testing

struct CertificateTests {
    let files = Files()

    @Test func `a certificate tells what it is for`() throws {
        let names = try files.names(
            in: files.identity("a", commonName: "älice", hosts: ["a.example", "*.b.example", "10.1.2.3", "::1"]))
        #expect(names.commonName == "älice")
        #expect(names.dnsNames == ["a.example", "*.b.example"])
        #expect(names.addresses == [[10, 1, 2, 3], [UInt8](repeating: 0, count: 15) + [1]])
        #expect(names.serial.count == 16)
        #expect(try files.names(in: files.identity("b")).commonName == nil)
    }

    @Test(arguments: [
        ("a.example", true), ("A.Example", true), ("a.example.", true), ("b.example", false), ("x.b.example", true),
        ("x.y.b.example", false), ("", false), (".b.example", false), ("10.1.2.3", true), ("10.1.2.4", false),
        ("::ffff:10.1.2.3", true), ("älice", false), ("example", false),
    ])
    func `a host is covered by name, pattern or address`(host: String, isCovered: Bool) throws {
        let identity = files.identity("a", commonName: "älice", hosts: ["a.example", "*.b.example", "10.1.2.3"])
        #expect(try files.names(in: identity).covers(host) == isCovered)
    }

    @Test func `a made certificate is kept until it has expired`() throws {
        let directory = files.path("fixtures/client")
        let (first, isNew) = try SelfSignedCertificate.ensure(in: directory, hosts: ["127.0.0.1"], years: 1)
        #expect(isNew && first.certificateFile == directory + "/cert.pem")
        let serial = try files.names(in: first).serial
        let second = try SelfSignedCertificate.ensure(in: directory, hosts: ["127.0.0.1"], years: 1)
        #expect(!second.isNew)
        #expect(try files.names(in: second.identity).serial == serial)
        let (expired, _) = SelfSignedCertificate.make(hosts: [], years: -1)
        files.write(PEMBlock.encoded("CERTIFICATE", expired), to: "fixtures/client/cert.pem")
        let third = try SelfSignedCertificate.ensure(in: directory, hosts: ["127.0.0.1"], years: 1)
        #expect(third.isNew)
        for path in [third.identity.certificateFile, third.identity.keyFile] { #expect(Files.mode(of: path) == 0o600) }
        #expect(Files.mode(of: directory) == 0o700)
    }
}
