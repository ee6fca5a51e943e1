import Glibc
import NIOCore
import NIOPosix
import StrakeFuzzing
import StrakeSeededGenerator
import StrakeTLS
import Testing

/// Files and connections that nobody has made well.
@Suite(.timeLimit(.minutes(10)))
struct FuzzTests {

    let files = Files()
    let damage = Damage(letters: [0, 0x30, 0x7f, 0x80, 0x84, 0xff])

    @Test func `a list of revoked certificates holds what was put into it, in either form`() throws {
        let seed = SeededGenerator.seed(of: "revoked certificates")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<FuzzCases.count / 500 {
            // As numbers: zeros in front do not count.
            let serials = Set((0..<random.below(30)).map { _ in Array(random.bytes(upTo: 20).drop { $0 == 0 }) })
            let der = revocationList(Array(serials), nextUpdate: random.chance(50))
            let list = try RevocationList(der, path: "crl")
            let text = "x\n" + PEMBlock.encoded("X509 CRL", der) + PEMBlock.encoded("X509 CRL", revocationList([]))
            let other = try RevocationList(Array(text.utf8), path: "crl")
            #expect(list.count == serials.count && other.count == serials.count, "seed \(seed)")
            for serial in serials { #expect(list.contains([0] + serial) && other.contains(serial), "seed \(seed)") }
            for _ in 0..<10 {
                let serial = Array(random.bytes(upTo: 3).drop { $0 == 0 })
                #expect(list.contains(serial) == serials.contains(serial), "\(serial), seed \(seed)")
            }
        }
    }

    @Test func `damaged lists, certificates and texts are read or refused and no more`() throws {
        let seed = SeededGenerator.seed(of: "damaged files")
        var random = SeededGenerator(seed: seed)
        let list = revocationList((0..<12).map { [$0, 1, 2] })
        let (certificate, _) = SelfSignedCertificate.make(
            hosts: ["a.example", "*.b.example", "10.1.2.3", "::1"], years: 1, commonName: "alice")
        let whole = try CertificateNames(der: certificate)
        var counts = [true: 0, false: 0]
        for _ in 0..<FuzzCases.count {
            var bytes = list
            damage.apply(to: &bytes, &random)
            if random.chance(30) {
                bytes = Array(PEMBlock.encoded("X509 CRL", bytes).utf8)
                if random.chance(50) { damage.apply(to: &bytes, &random) }
            }
            let read = try? RevocationList(bytes, path: "crl")
            counts[read != nil, default: 0] += 1
            // An entry takes four bytes at least.
            if let read { #expect(read.count <= bytes.count / 4, "seed \(seed)") }
            var other = certificate
            damage.apply(to: &other, &random)
            guard let names = try? CertificateNames(der: other) else { continue }
            #expect(other == certificate ? names == whole : names.addresses.count <= other.count, "seed \(seed)")
            _ = names.covers("x.b.example")
        }
        #expect(counts[true]! > FuzzCases.count / 100 && counts[false]! > FuzzCases.count / 100, "\(counts)")
    }

    @Test func `a text holds the bytes that were put into it, and damaged ones do not stop anybody`() {
        let seed = SeededGenerator.seed(of: "texts")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<FuzzCases.count / 5 {
            let bytes = random.bytes(upTo: 120)
            var text = Array(PEMBlock.encoded("X", bytes).utf8)
            #expect(PEMBlock.content("X", in: text) == bytes, "seed \(seed)")
            #expect(PEMBlock.content("Y", in: text) == nil, "seed \(seed)")
            damage.apply(to: &text, &random)
            if let found = PEMBlock.content("X", in: text) { #expect(found.count <= text.count, "seed \(seed)") }
        }
    }

    @Test func `a server begins with files that are whole, and with damaged ones not or all the same`() throws {
        let seed = SeededGenerator.seed(of: "damaged certificates and keys")
        var random = SeededGenerator(seed: seed)
        let good = files.identity("good")
        let contents = [good.certificateFile, good.keyFile].map(Files.read)
        var counts = [true: 0, false: 0]
        for _ in 0..<FuzzCases.count / 100 {
            var changed = contents
            damage.apply(to: &changed[random.below(2)], &random)
            var options = TLSOptions()
            options.identity = TLSOptions.Identity(
                certificateFile: files.write(changed[0], to: "x.pem"), keyFile: files.write(changed[1], to: "x.key"))
            options.trustedCAFile = random.chance(50) ? options.identity?.certificateFile : nil
            options.requiresClientCertificate = random.chance(50)
            do throws(TLSError) {
                _ = try TLSServer(options, onProblem: { _ in }, onRejected: { _ in })
                counts[true, default: 0] += 1
            } catch {
                counts[false, default: 0] += 1
                // What is in a key file is told to nobody.
                let key = String(decoding: contents[1], as: UTF8.self).split(separator: "\n").dropFirst().dropLast()
                #expect(!key.contains { error.description.contains($0) }, "seed \(seed)")
                #expect(error.description.contains("x."), "\(error.description), seed \(seed)")
            }
        }
        #expect(counts[false]! > FuzzCases.count / 400, "\(counts)")
    }

    /// What a client of this library says first.
    private func greeting(_ server: TestServer) async throws -> [UInt8] {
        let recorder = try await Recorder.start()
        var options = TLSOptions()
        options.trustsAnybody = true
        async let asked = server.ask(TLSClient(options), at: recorder.port)
        let bytes = await recorder.next()
        await recorder.stop()
        _ = await asked
        return bytes
    }

    @Test func `whatever comes at a protected port, nothing of it gets behind TLS and others are served`() async throws
    {
        let seed = SeededGenerator.seed(of: "bytes at a protected port")
        var random = SeededGenerator(seed: seed)
        let identity = files.identity("server")
        var options = TLSOptions()
        options.identity = identity
        let server = try await TestServer.start(options)
        var trusting = TLSOptions()
        trusting.trustedCAFile = identity.certificateFile
        let client = TLSClient(trusting)
        let hello = try await greeting(server)
        #expect(hello.first == 0x16 && hello.count > 100)
        var rounds = 0
        for round in 0..<max(FuzzCases.count / 1_000, 20) {
            var pieces: [[UInt8]] = []
            for _ in 0..<random.below(4) + 1 {
                var bytes = hello
                switch random.below(5) {
                case 0: bytes = random.bytes(upTo: 300)
                case 1:
                    bytes =
                        [0x16, 3, 1, random.bytes(count: 1)[0], random.bytes(count: 1)[0]] + random.bytes(upTo: 300)
                case 2: bytes.removeLast(random.below(bytes.count))
                case 3: damage.apply(to: &bytes, &random)
                default: bytes = [UInt8.random(in: 0x14...0x18, using: &random), 3, 3, 0, 2] + random.bytes(upTo: 4)
                }
                pieces.append(bytes)
            }
            let answer = await server.say(pieces)
            // Whoever gets through hears "nobody" or "plain".
            #expect(!answer.contains("nobody") && !answer.contains("plain"), "\(pieces), seed \(seed)")
            if round % 10 == 0 {
                #expect(await server.ask(client) == "nobody", "seed \(seed)")
                rounds += 1
            }
        }
        #expect(rounds > 1 && server.rejectionCount > 0)
        await server.stop()
    }
}
