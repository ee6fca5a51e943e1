/// The serial numbers of a list of revoked certificates (RFC 5280 §5.1) in DER, or of all lists of a file in PEM.
///
/// As in etcd the file is trusted for what it says: neither its signature nor its date is checked, and a number counts
/// whichever authority issued the certificate.
package struct RevocationList: Sendable {
    private let serials: Set<[UInt8]>

    package init(_ bytes: [UInt8], path: String) throws(TLSError) {
        let lists = bytes.first == DERReader.sequence ? [bytes] : PEMBlock.contents("X509 CRL", in: bytes)
        guard let lists else { throw TLSError("\(path): neither a DER nor a PEM certificate revocation list") }
        do throws(DERReader.Problem) {
            var serials: Set<[UInt8]> = []
            for list in lists { serials.formUnion(try Self.serials(in: list)) }
            self.serials = serials
        } catch {
            throw TLSError("\(path): malformed certificate revocation list")
        }
    }

    package var count: Int { serials.count }

    /// - Parameter serial: Big-endian.
    package func contains(_ serial: [UInt8]) -> Bool { serials.contains(Self.trimmed(serial[...])) }

    private static func serials(in der: [UInt8]) throws(DERReader.Problem) -> Set<[UInt8]> {
        var file = DERReader(der[...])
        var list = DERReader(try file.next(DERReader.sequence))
        var fields = DERReader(try list.next(DERReader.sequence))
        try fields.skip(DERReader.integer)  // version
        _ = try fields.next(DERReader.sequence)  // signature algorithm
        _ = try fields.next(DERReader.sequence)  // issuer
        try skipTime(&fields)  // this update
        if fields.tag == DERReader.utcTime || fields.tag == DERReader.generalizedTime { try skipTime(&fields) }
        // Without revoked certificates the field is left out.
        guard fields.tag == DERReader.sequence else { return [] }
        var entries = DERReader(try fields.next(DERReader.sequence))
        var serials: Set<[UInt8]> = []
        while !entries.isAtEnd {
            var entry = DERReader(try entries.next(DERReader.sequence))
            serials.insert(trimmed(try entry.next(DERReader.integer)))
        }
        return serials
    }

    private static func skipTime(_ fields: inout DERReader) throws(DERReader.Problem) {
        let (tag, _) = try fields.next()
        guard tag == DERReader.utcTime || tag == DERReader.generalizedTime else { throw .malformed }
    }

    /// DER puts a zero before a number whose first bit is set.
    private static func trimmed(_ serial: ArraySlice<UInt8>) -> [UInt8] { Array(serial.drop { $0 == 0 }) }
}
