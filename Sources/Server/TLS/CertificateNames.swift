internal import NIOSSL

/// Whom a certificate says it is for.
package struct CertificateNames: Equatable {
    package var commonName: String?
    package var dnsNames: [String] = []
    /// IP addresses, 4 or 16 bytes each.
    package var addresses: [[UInt8]] = []
    /// Big-endian.
    package var serial: [UInt8] = []

    /// The subject alternative name (RFC 5280 §4.2.1.6), and the tags of its choices.
    private static let alternativeName: [UInt8] = [0x55, 0x1D, 0x11]
    private static let dnsName: UInt8 = 0x82
    private static let ipAddress: UInt8 = 0x87
    /// Optional fields of a certificate: its version, and its extensions.
    private static let version: UInt8 = 0xA0
    private static let extensions: UInt8 = 0xA3

    init(_ certificate: NIOSSLCertificate) throws(TLSError) {
        // With several of them the last one counts, as in Go and so in etcd.
        commonName = certificate.subjectName.last { $0.type == .commonName }?.value
        serial = certificate.serialNumber
        guard let der = try? certificate.toDERBytes() else { throw TLSError("a certificate that cannot be read") }
        do throws(DERReader.Problem) {
            try readAlternatives(der)
        } catch {
            throw TLSError("a certificate whose names cannot be read")
        }
    }

    /// Of a certificate in DER.
    package init(der: [UInt8]) throws(TLSError) {
        guard let certificate = try? NIOSSLCertificate(bytes: der, format: .der) else {
            throw TLSError("no certificate that can be read")
        }
        try self.init(certificate)
    }

    private mutating func readAlternatives(_ der: [UInt8]) throws(DERReader.Problem) {
        var file = DERReader(der[...])
        var certificate = DERReader(try file.next(DERReader.sequence))
        var fields = DERReader(try certificate.next(DERReader.sequence))
        try fields.skip(Self.version)
        _ = try fields.next(DERReader.integer)
        // Signature algorithm, issuer, validity, subject and public key.
        for _ in 0..<5 { _ = try fields.next(DERReader.sequence) }
        while !fields.isAtEnd {
            let (tag, content) = try fields.next()
            guard tag == Self.extensions else { continue }
            var outer = DERReader(content)
            var all = DERReader(try outer.next(DERReader.sequence))
            while !all.isAtEnd { try readExtension(try all.next(DERReader.sequence)) }
        }
    }

    private mutating func readExtension(_ bytes: ArraySlice<UInt8>) throws(DERReader.Problem) {
        var fields = DERReader(bytes)
        guard try fields.next(DERReader.objectIdentifier).elementsEqual(Self.alternativeName) else { return }
        // Between the name and the value it may say that it is critical.
        while !fields.isAtEnd {
            let (tag, content) = try fields.next()
            guard tag == DERReader.octetString else { continue }
            var value = DERReader(content)
            var names = DERReader(try value.next(DERReader.sequence))
            while !names.isAtEnd {
                let (tag, name) = try names.next()
                if tag == Self.dnsName { dnsNames.append(String(decoding: name, as: UTF8.self)) }
                if tag == Self.ipAddress { addresses.append(Array(name)) }
            }
        }
    }

    /// Whether the certificate is for the host, a name or an IP address (RFC 6125; the common name does not count).
    package func covers(_ host: String) -> Bool {
        if let address = IPAddress.bytes(host) { return addresses.contains(address) }
        return dnsNames.contains { Self.matches(pattern: $0, host) }
    }

    /// `*` stands for the whole first label, and nothing else is a pattern.
    private static func matches(pattern: String, _ host: String) -> Bool {
        let wanted = labels(host)
        let pattern = labels(pattern)
        guard wanted.count == pattern.count, !wanted.contains("") else { return false }
        return zip(pattern, wanted).enumerated().allSatisfy { place, pair in
            pair.0 == pair.1 || place == 0 && pair.0 == "*" && wanted.count > 1
        }
    }

    private static func labels(_ name: String) -> [String] {
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        return name.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }
}
