internal import Crypto
internal import CryptoExtras

/// The key or keys of an algorithm. Without the private one tokens can be checked and not signed.
struct JWTKey: Sendable {
    private enum Material: Sendable {
        case secret(SymmetricKey)
        case rsa(_RSA.Signing.PrivateKey?, _RSA.Signing.PublicKey)
        case p256(P256.Signing.PrivateKey?, P256.Signing.PublicKey)
        case p384(P384.Signing.PrivateKey?, P384.Signing.PublicKey)
        case p521(P521.Signing.PrivateKey?, P521.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PrivateKey?, Curve25519.Signing.PublicKey)
    }

    private let algorithm: JWTAlgorithm
    private let material: Material

    /// - Parameters:
    ///   - publicKey: Of a PEM file; nil: none was given.
    ///   - privateKey: Of a PEM file, or the secret of an HS algorithm, which has no public key.
    init(_ algorithm: JWTAlgorithm, publicKey: [UInt8]?, privateKey: [UInt8]?) throws(JWTError) {
        self.algorithm = algorithm
        if case .secret = algorithm.keyKind {
            guard let privateKey, !privateKey.isEmpty else {
                throw JWTError("\(algorithm.rawValue) needs priv-key, a file with the secret")
            }
            material = .secret(SymmetricKey(data: privateKey))
            return
        }
        guard publicKey != nil || privateKey != nil else {
            throw JWTError("\(algorithm.rawValue) needs priv-key, or pub-key where tokens are only checked")
        }
        do {
            material = try Self.material(algorithm, publicKey: publicKey, privateKey: privateKey)
        } catch let error as JWTError {
            throw error
        } catch {
            throw JWTError("a key file holds no key for \(algorithm.rawValue) in the PEM form")
        }
    }

    private static func material(
        _ algorithm: JWTAlgorithm, publicKey: [UInt8]?, privateKey: [UInt8]?
    ) throws -> Material {
        let publicText = publicKey.map { String(decoding: $0, as: UTF8.self) }
        let privateText = privateKey.map { String(decoding: $0, as: UTF8.self) }
        switch algorithm.keyKind {
        case .secret: preconditionFailure("a secret is no pair of keys")
        case .rsa:
            let own = try privateText.map { try _RSA.Signing.PrivateKey(pemRepresentation: $0) }
            let other = try publicText.map { try _RSA.Signing.PublicKey(pemRepresentation: $0) }
            try check(own?.publicKey.derRepresentation, other?.derRepresentation)
            return .rsa(own, other ?? own!.publicKey)
        case .p256:
            let own = try privateText.map { try P256.Signing.PrivateKey(pemRepresentation: $0) }
            let other = try publicText.map { try P256.Signing.PublicKey(pemRepresentation: $0) }
            try check(own?.publicKey.rawRepresentation, other?.rawRepresentation)
            return .p256(own, other ?? own!.publicKey)
        case .p384:
            let own = try privateText.map { try P384.Signing.PrivateKey(pemRepresentation: $0) }
            let other = try publicText.map { try P384.Signing.PublicKey(pemRepresentation: $0) }
            try check(own?.publicKey.rawRepresentation, other?.rawRepresentation)
            return .p384(own, other ?? own!.publicKey)
        case .p521:
            let own = try privateText.map { try P521.Signing.PrivateKey(pemRepresentation: $0) }
            let other = try publicText.map { try P521.Signing.PublicKey(pemRepresentation: $0) }
            try check(own?.publicKey.rawRepresentation, other?.rawRepresentation)
            return .p521(own, other ?? own!.publicKey)
        case .ed25519:
            let own = try privateText.map {
                try Curve25519.Signing.PrivateKey(rawRepresentation: Ed25519PEM.privateKey($0))
            }
            let other = try publicText.map {
                try Curve25519.Signing.PublicKey(rawRepresentation: Ed25519PEM.publicKey($0))
            }
            try check(own?.publicKey.rawRepresentation, other?.rawRepresentation)
            return .ed25519(own, other ?? own!.publicKey)
        }
    }

    private static func check<Bytes: Equatable>(_ ofPrivate: Bytes?, _ ofPublic: Bytes?) throws(JWTError) {
        if let ofPrivate, let ofPublic, ofPrivate != ofPublic {
            throw JWTError("pub-key and priv-key are not of one pair")
        }
    }

    var canSign: Bool {
        switch material {
        case .secret: true
        case .rsa(let key, _): key != nil
        case .p256(let key, _): key != nil
        case .p384(let key, _): key != nil
        case .p521(let key, _): key != nil
        case .ed25519(let key, _): key != nil
        }
    }

    /// Nil without a private key, or if the library fails.
    func sign(_ bytes: [UInt8]) -> [UInt8]? {
        switch material {
        case .secret(let key): return authenticationCode(of: bytes, key)
        case .rsa(let key?, _):
            let signature: _RSA.Signing.RSASignature? =
                switch algorithm.hash {
                case .sha256: try? key.signature(for: SHA256.hash(data: bytes), padding: padding)
                case .sha384: try? key.signature(for: SHA384.hash(data: bytes), padding: padding)
                case .sha512: try? key.signature(for: SHA512.hash(data: bytes), padding: padding)
                case nil: nil
                }
            return signature.map { Array($0.rawRepresentation) }
        case .p256(let key?, _): return (try? key.signature(for: bytes)).map { Array($0.rawRepresentation) }
        case .p384(let key?, _): return (try? key.signature(for: bytes)).map { Array($0.rawRepresentation) }
        case .p521(let key?, _): return (try? key.signature(for: bytes)).map { Array($0.rawRepresentation) }
        case .ed25519(let key?, _): return (try? key.signature(for: bytes)).map { Array($0) }
        case .rsa(nil, _), .p256(nil, _), .p384(nil, _), .p521(nil, _), .ed25519(nil, _): return nil
        }
    }

    func isValid(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        switch material {
        case .secret(let key): return isAuthenticationCode(signature, of: bytes, key)
        case .rsa(_, let key):
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return switch algorithm.hash {
            case .sha256: key.isValidSignature(signature, for: SHA256.hash(data: bytes), padding: padding)
            case .sha384: key.isValidSignature(signature, for: SHA384.hash(data: bytes), padding: padding)
            case .sha512: key.isValidSignature(signature, for: SHA512.hash(data: bytes), padding: padding)
            case nil: false
            }
        case .p256(_, let key):
            guard let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: bytes)
        case .p384(_, let key):
            guard let parsed = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: bytes)
        case .p521(_, let key):
            guard let parsed = try? P521.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(parsed, for: bytes)
        case .ed25519(_, let key): return key.isValidSignature(signature, for: bytes)
        }
    }

    private var padding: _RSA.Signing.Padding {
        switch algorithm {
        case .ps256, .ps384, .ps512: .PSS
        default: .insecurePKCS1v1_5
        }
    }

    private func authenticationCode(of bytes: [UInt8], _ key: SymmetricKey) -> [UInt8]? {
        switch algorithm.hash {
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
        case .sha384: Array(HMAC<SHA384>.authenticationCode(for: bytes, using: key))
        case .sha512: Array(HMAC<SHA512>.authenticationCode(for: bytes, using: key))
        case nil: nil
        }
    }

    /// Takes the same time wherever they differ.
    private func isAuthenticationCode(_ code: [UInt8], of bytes: [UInt8], _ key: SymmetricKey) -> Bool {
        switch algorithm.hash {
        case .sha256: HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: bytes, using: key)
        case .sha384: HMAC<SHA384>.isValidAuthenticationCode(code, authenticating: bytes, using: key)
        case .sha512: HMAC<SHA512>.isValidAuthenticationCode(code, authenticating: bytes, using: key)
        case nil: false
        }
    }
}

extension JWTAlgorithm {
    fileprivate enum KeyKind {
        case secret, rsa, p256, p384, p521, ed25519
    }

    fileprivate var keyKind: KeyKind {
        switch self {
        case .hs256, .hs384, .hs512: .secret
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .p256
        case .es384: .p384
        case .es512: .p521
        case .edDSA: .ed25519
        }
    }
}
