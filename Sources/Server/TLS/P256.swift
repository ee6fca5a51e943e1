/// The curve NIST P-256 (FIPS 186-5, SEC 2 §2.4.2), for one purpose: to make a certificate's key and sign the certificate.
///
/// It is simple, slow (0.1 s for a key and a signature) and not hardened against whoever measures it, which nobody can who
/// is not on the machine at that one moment. What TLS itself signs and agrees on is the TLS library's work.
enum P256 {
    /// A number of 256 bits, the lowest 64 first.
    typealias Number = SIMD4<UInt64>

    /// Numbers modulo an odd prime.
    struct Field {
        let modulus: Number

        func add(_ a: Number, _ b: Number) -> Number {
            let (sum, carries) = P256.add(a, b)
            return carries || !P256.isLess(sum, modulus) ? P256.subtract(sum, modulus).difference : sum
        }

        func subtract(_ a: Number, _ b: Number) -> Number {
            let (difference, borrows) = P256.subtract(a, b)
            return borrows ? P256.add(difference, modulus).sum : difference
        }

        /// By doubling and adding, from the highest bit on.
        func multiply(_ a: Number, _ b: Number) -> Number {
            var product = Number()
            for bit in (0..<256).reversed() {
                product = add(product, product)
                if P256.isSet(bit, in: b) { product = add(product, a) }
            }
            return product
        }

        /// By Fermat's little theorem.
        func inverse(_ a: Number) -> Number {
            let exponent = P256.subtract(modulus, Number(2, 0, 0, 0)).difference
            var power = Number(1, 0, 0, 0)
            for bit in (0..<256).reversed() {
                power = multiply(power, power)
                if P256.isSet(bit, in: exponent) { power = multiply(power, a) }
            }
            return power
        }
    }

    static let field = Field(
        modulus: Number(0xFFFF_FFFF_FFFF_FFFF, 0x0000_0000_FFFF_FFFF, 0, 0xFFFF_FFFF_0000_0001))
    static let order = Field(
        modulus: Number(0xF3B9_CAC2_FC63_2551, 0xBCE6_FAAD_A717_9E84, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_0000_0000))
    static let base = Point(
        x: Number(0xF4A1_3945_D898_C296, 0x7703_7D81_2DEB_33A0, 0xF8BC_E6E5_63A4_40F2, 0x6B17_D1F2_E12C_4247),
        y: Number(0xCBB6_4068_37BF_51F5, 0x2BCE_3357_6B31_5ECE, 0x8EE7_EB4A_7C0F_9E16, 0x4FE3_42E2_FE1A_7F9B),
        z: Number(1, 0, 0, 0))

    // MARK: Numbers

    static func add(_ a: Number, _ b: Number) -> (sum: Number, carries: Bool) {
        var sum = Number()
        var carry: UInt64 = 0
        for index in 0..<4 {
            let (first, one) = a[index].addingReportingOverflow(b[index])
            let (second, two) = first.addingReportingOverflow(carry)
            sum[index] = second
            carry = one || two ? 1 : 0
        }
        return (sum, carry == 1)
    }

    static func subtract(_ a: Number, _ b: Number) -> (difference: Number, borrows: Bool) {
        var difference = Number()
        var borrow: UInt64 = 0
        for index in 0..<4 {
            let (first, one) = a[index].subtractingReportingOverflow(b[index])
            let (second, two) = first.subtractingReportingOverflow(borrow)
            difference[index] = second
            borrow = one || two ? 1 : 0
        }
        return (difference, borrow == 1)
    }

    static func isLess(_ a: Number, _ b: Number) -> Bool { subtract(a, b).borrows }

    static func isSet(_ bit: Int, in number: Number) -> Bool { number[bit / 64] >> UInt64(bit % 64) & 1 == 1 }

    /// From 32 bytes, big-endian.
    static func number(_ bytes: [UInt8]) -> Number {
        precondition(bytes.count == 32, "\(bytes.count) bytes")
        var number = Number()
        for (place, byte) in bytes.enumerated() { number[3 - place / 8] = number[3 - place / 8] << 8 | UInt64(byte) }
        return number
    }

    static func bytes(_ number: Number) -> [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: number[3 - $0 / 8] >> UInt64(56 - 8 * ($0 % 8))) }
    }

    // MARK: Points

    /// In Jacobian coordinates: the point (x / z², y / z³), or none when z is zero.
    struct Point {
        var x: Number
        var y: Number
        var z: Number

        static let none = Point(x: Number(1, 0, 0, 0), y: Number(1, 0, 0, 0), z: Number())

        var coordinates: (x: Number, y: Number) {
            let inverse = field.inverse(z)
            let square = field.multiply(inverse, inverse)
            return (field.multiply(x, square), field.multiply(y, field.multiply(square, inverse)))
        }

        var doubled: Point {
            if z == Number() { return self }
            let ySquare = field.multiply(y, y)
            let product = times(4, field.multiply(x, ySquare))
            let zSquare = field.multiply(z, z)
            // The curve's a is -3, so the slope's numerator 3x² + az⁴ is 3 (x - z²)(x + z²).
            let slope = times(3, field.multiply(field.subtract(x, zSquare), field.add(x, zSquare)))
            let newX = field.subtract(field.multiply(slope, slope), times(2, product))
            let newY = field.subtract(
                field.multiply(slope, field.subtract(product, newX)), times(8, field.multiply(ySquare, ySquare)))
            return Point(x: newX, y: newY, z: times(2, field.multiply(y, z)))
        }

        func added(to other: Point) -> Point {
            if z == Number() { return other }
            if other.z == Number() { return self }
            let (square, otherSquare) = (field.multiply(z, z), field.multiply(other.z, other.z))
            let u = field.multiply(x, otherSquare)
            let s = field.multiply(y, field.multiply(otherSquare, other.z))
            let h = field.subtract(field.multiply(other.x, square), u)
            let r = field.subtract(field.multiply(other.y, field.multiply(square, z)), s)
            if h == Number() { return r == Number() ? doubled : .none }
            let hSquare = field.multiply(h, h)
            let hCube = field.multiply(hSquare, h)
            let v = field.multiply(u, hSquare)
            let newX = field.subtract(field.subtract(field.multiply(r, r), hCube), times(2, v))
            let newY = field.subtract(field.multiply(r, field.subtract(v, newX)), field.multiply(s, hCube))
            return Point(x: newX, y: newY, z: field.multiply(h, field.multiply(z, other.z)))
        }

        func multiplied(by number: Number) -> Point {
            var product = Point.none
            for bit in (0..<256).reversed() {
                product = product.doubled
                if isSet(bit, in: number) { product = product.added(to: self) }
            }
            return product
        }

        private func times(_ count: Int, _ number: Number) -> Number {
            (1..<count).reduce(number) { sum, _ in field.add(sum, number) }
        }
    }
}
