internal import Glibc
internal import NIOSSL

/// Makes a certificate that vouches for itself, with its key, as files `cert.pem` and `key.pem` that only this user can read.
package enum SelfSignedCertificate {
    private static let ecdsaWithSHA256: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]
    private static let ecPublicKey: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    private static let curveP256: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
    private static let organization: [UInt8] = [0x55, 0x04, 0x0A]
    private static let commonName: [UInt8] = [0x55, 0x04, 0x03]
    private static let secondsAYear = 365 * 24 * 3_600
    /// Further ones would end after the last date that a certificate can hold.
    private static let yearsMax: Int64 = 5_000

    /// What is in the directory already, unless it has expired; else something new.
    ///
    /// - Parameters:
    ///   - hosts: Names and addresses that the certificate is for.
    ///   - years: Of 365 days.
    package static func ensure(
        in directory: String, hosts: [String], years: Int64
    ) throws(TLSError) -> (identity: TLSOptions.Identity, isNew: Bool) {
        let identity = TLSOptions.Identity(
            certificateFile: directory + "/cert.pem", keyFile: directory + "/key.pem")
        if isUsable(identity) { return (identity, false) }
        try makeDirectories(directory)
        let (certificate, key) = make(hosts: hosts, years: min(years, yearsMax))
        try write(PEMBlock.encoded("EC PRIVATE KEY", key), to: identity.keyFile)
        try write(PEMBlock.encoded("CERTIFICATE", certificate), to: identity.certificateFile)
        return (identity, true)
    }

    private static func isUsable(_ identity: TLSOptions.Identity) -> Bool {
        guard access(identity.keyFile, F_OK) == 0,
            let bytes = try? FileContents.read(identity.certificateFile),
            let certificate = try? NIOSSLCertificate(bytes: bytes, format: .pem)
        else { return false }
        return certificate.notValidAfter > time(nil)
    }

    /// Certificate and key in DER.
    ///
    /// - Parameters:
    ///   - hosts: Names and addresses that the certificate is for.
    ///   - years: Of 365 days, from now; below 0 it has expired.
    ///   - commonName: Beside the organization.
    package static func make(
        hosts: [String], years: Int64, commonName: String? = nil
    ) -> (certificate: [UInt8], key: [UInt8]) {
        var random = SystemRandomNumberGenerator()
        let key = SigningKey(from: &random)
        // 126 random bits after a set one: unique, above 0, and of one length.
        let serial =
            [UInt8(0x40) | UInt8.random(in: 0..<0x40, using: &random)]
            + (0..<15).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let algorithm = DERWriter.sequence(DERWriter.identifier(ecdsaWithSHA256))
        let name = DERWriter.sequence(
            attribute(organization, "strake"), commonName.map { attribute(Self.commonName, $0) } ?? [])
        let now = time(nil)
        let end = now + Int(years) * secondsAYear
        let contents = DERWriter.sequence(
            DERWriter.element(0xA0, DERWriter.integer([2])), DERWriter.integer(serial), algorithm, name,
            DERWriter.sequence(date(min(now, end)), date(end)), name,
            DERWriter.sequence(
                DERWriter.sequence(DERWriter.identifier(ecPublicKey), DERWriter.identifier(curveP256)),
                DERWriter.bits(key.publicBytes)),
            DERWriter.element(0xA3, extensions(hosts)))
        let (r, s) = key.sign(contents, from: &random)
        let signature = DERWriter.sequence(DERWriter.integer(r), DERWriter.integer(s))
        // RFC 5915.
        let secret = DERWriter.sequence(
            DERWriter.integer([1]), DERWriter.octets(key.secretBytes),
            DERWriter.element(0xA0, DERWriter.identifier(curveP256)),
            DERWriter.element(0xA1, DERWriter.bits(key.publicBytes)))
        return (DERWriter.sequence(contents, algorithm, DERWriter.bits(signature)), secret)
    }

    /// A part of a name, in UTF-8.
    private static func attribute(_ type: [UInt8], _ text: String) -> [UInt8] {
        DERWriter.set(DERWriter.sequence(DERWriter.identifier(type), DERWriter.element(0x0C, Array(text.utf8))))
    }

    /// RFC 5280 §4.2.1: what the key is for, and which hosts.
    ///
    /// There is no key usage (etcd's has one): with one that does not say that the key signs certificates, clients on
    /// BoringSSL do not see that the certificate is its own authority, and cannot be made to trust it.
    private static func extensions(_ hosts: [String]) -> [UInt8] {
        let names = hosts.map { host in
            if let address = IPAddress.bytes(host) { return DERWriter.element(0x87, address) }
            return DERWriter.element(0x82, Array(host.utf8))
        }
        let critical = DERWriter.element(0x01, [0xFF])
        let purposes = DERWriter.sequence(
            DERWriter.identifier([0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]),
            DERWriter.identifier([0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]))
        let extendedUsage = DERWriter.sequence(DERWriter.identifier([0x55, 0x1D, 0x25]), DERWriter.octets(purposes))
        let constraints = DERWriter.sequence(
            DERWriter.identifier([0x55, 0x1D, 0x13]), critical, DERWriter.octets(DERWriter.sequence()))
        let alternatives = DERWriter.sequence(
            DERWriter.identifier([0x55, 0x1D, 0x11]), DERWriter.octets(DERWriter.element(0x30, names.flatMap { $0 })))
        return DERWriter.sequence(extendedUsage, constraints, names.isEmpty ? [] : alternatives)
    }

    /// With two digits for the year until 2049 (RFC 5280 §4.1.2.5).
    private static func date(_ seconds: Int) -> [UInt8] {
        var (moment, parts) = (seconds, tm())
        gmtime_r(&moment, &parts)
        let year = Int(parts.tm_year) + 1_900
        let rest = [parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec]
            .map { digits(Int($0), 2) }.joined()
        let text = (year < 2_050 ? digits(year % 100, 2) : digits(year, 4)) + rest + "Z"
        return DERWriter.element(year < 2_050 ? 0x17 : 0x18, Array(text.utf8))
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }

    // MARK: Files

    private static func makeDirectories(_ path: String) throws(TLSError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made == "/" ? String(part) : "/" + part
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw problem("mkdir", made) }
        }
    }

    private static func write(_ text: String, to path: String) throws(TLSError) {
        // Anew, so that the mode of an older file does not count.
        guard unlink(path) == 0 || errno == ENOENT else { throw problem("unlink", path) }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw problem("open", path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw problem("write", path)
        }
    }

    private static func problem(_ call: String, _ path: String) -> TLSError {
        TLSError("\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
