internal import StrakeChecksum

/// A key of P-256 and ECDSA signatures with it (FIPS 186-5 §6.4).
struct SigningKey {
    private let secret: P256.Number
    /// The uncompressed point (SEC 1 §2.3.3).
    let publicBytes: [UInt8]

    init(from random: inout some RandomNumberGenerator) {
        secret = Self.secret(from: &random)
        let point = P256.base.multiplied(by: secret).coordinates
        publicBytes = [4] + P256.bytes(point.x) + P256.bytes(point.y)
    }

    var secretBytes: [UInt8] { P256.bytes(secret) }

    /// The two numbers of a signature, big-endian.
    func sign(_ message: [UInt8], from random: inout some RandomNumberGenerator) -> (r: [UInt8], s: [UInt8]) {
        var hash = SHA256()
        hash.add(message)
        var digest = P256.number(hash.value)
        if !P256.isLess(digest, P256.order.modulus) { digest = P256.subtract(digest, P256.order.modulus).difference }
        while true {
            let nonce = Self.secret(from: &random)
            var r = P256.base.multiplied(by: nonce).coordinates.x
            if !P256.isLess(r, P256.order.modulus) { r = P256.subtract(r, P256.order.modulus).difference }
            let sum = P256.order.add(digest, P256.order.multiply(r, secret))
            let s = P256.order.multiply(P256.order.inverse(nonce), sum)
            if r != P256.Number(), s != P256.Number() { return (P256.bytes(r), P256.bytes(s)) }
        }
    }

    /// From 1 to the order less 1, each as likely as any other.
    private static func secret(from random: inout some RandomNumberGenerator) -> P256.Number {
        while true {
            let number = P256.Number(random.next(), random.next(), random.next(), random.next())
            if number != P256.Number(), P256.isLess(number, P256.order.modulus) { return number }
        }
    }
}
