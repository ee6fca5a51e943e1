/// Which bytes a field may have (RFC 9113 §8.2.1). Spaces around a value are let through: real clients send them.
enum HeaderSyntax {
    static func isName(_ name: ByteView) -> Bool {
        guard name.count > 0 else { return false }
        for index in 0..<name.count {
            let byte = name[index]
            let isUpperCase = byte >= 0x41 && byte <= 0x5A
            // A colon belongs to the beginning of pseudo-headers only.
            if byte <= 0x20 || byte >= 0x7F || isUpperCase || (byte == UInt8(ascii: ":") && index > 0) { return false }
        }
        return true
    }

    static func isValue(_ value: ByteView) -> Bool {
        for index in 0..<value.count {
            let byte = value[index]
            if byte == 0x00 || byte == 0x0A || byte == 0x0D { return false }
        }
        return true
    }
}
