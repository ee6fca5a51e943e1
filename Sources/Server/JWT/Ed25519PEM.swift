internal import StrakeCredentials

/// Ed25519 keys in files. Their DER (RFC 8410) has one form, so what stands in front of the key is always the same.
enum Ed25519PEM {
    private static let keyBytes = 32
    private static let privatePrefix: [UInt8] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]
    private static let publicPrefix: [UInt8] = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ]

    static func privateKey(_ text: String) throws(JWTError) -> [UInt8] {
        try key(text, "PRIVATE KEY", privatePrefix)
    }

    static func publicKey(_ text: String) throws(JWTError) -> [UInt8] {
        try key(text, "PUBLIC KEY", publicPrefix)
    }

    private static func key(_ text: String, _ label: String, _ prefix: [UInt8]) throws(JWTError) -> [UInt8] {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }
        guard let begin = lines.firstIndex(of: "-----BEGIN\(label.filter { $0 != " " })-----"),
            let end = lines[begin...].firstIndex(of: "-----END\(label.filter { $0 != " " })-----"),
            let der = Base64.decode(Array(lines[(begin + 1)..<end].joined().utf8), .standard),
            der.count == prefix.count + keyBytes, der.starts(with: prefix)
        else { throw JWTError("a key file holds no Ed25519 key with the heading \(label)") }
        return Array(der[prefix.count...])
    }
}
