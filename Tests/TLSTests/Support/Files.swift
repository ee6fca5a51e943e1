import Glibc
import StrakeTLS
import StrakeTemporaryDirectory

/// Certificates and other files of one test.
struct Files {
    private let directory = TemporaryDirectory()

    func path(_ name: String) -> String { directory.path + "/" + name }

    /// In place of what was there, at once, as a careful operator does it.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) -> String {
        let draft = path(name + ".new")
        let file = fopen(draft, "w")
        precondition(file != nil && fwrite(bytes, 1, bytes.count, file) == bytes.count && fclose(file) == 0, draft)
        precondition(rename(draft, path(name)) == 0, draft)
        return path(name)
    }

    @discardableResult
    func write(_ text: String, to name: String) -> String { write(Array(text.utf8), to: name) }

    static func mode(of path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    static func read(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
    }

    /// A certificate that vouches for itself, and its key; who trusts the file trusts its owner.
    func identity(
        _ name: String, commonName: String? = nil, hosts: [String] = ["127.0.0.1", "localhost"], years: Int64 = 1
    ) -> TLSOptions.Identity {
        let (certificate, key) = SelfSignedCertificate.make(hosts: hosts, years: years, commonName: commonName)
        return TLSOptions.Identity(
            certificateFile: write(PEMBlock.encoded("CERTIFICATE", certificate), to: name + ".pem"),
            keyFile: write(PEMBlock.encoded("EC PRIVATE KEY", key), to: name + ".key"))
    }

    func names(in identity: TLSOptions.Identity) throws -> CertificateNames {
        let text = Self.read(identity.certificateFile)
        guard let der = PEMBlock.content("CERTIFICATE", in: text) else { throw TLSError("no certificate") }
        return try CertificateNames(der: der)
    }
}

/// A list of revoked certificates without a signature that would hold, which nobody looks at.
func revocationList(_ serials: [[UInt8]], nextUpdate: Bool = true) -> [UInt8] {
    let date = DERWriter.element(0x17, Array("260101000000Z".utf8))
    let algorithm = DERWriter.sequence(DERWriter.identifier([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]))
    let entries = serials.map { DERWriter.sequence(DERWriter.integer($0), date) }
    let list = DERWriter.sequence(
        DERWriter.integer([1]), algorithm, DERWriter.sequence(), date, nextUpdate ? date : [],
        entries.isEmpty ? [] : DERWriter.element(0x30, entries.flatMap { $0 }))
    return DERWriter.sequence(list, algorithm, DERWriter.bits([0]))
}
