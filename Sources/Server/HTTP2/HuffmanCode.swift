/// The Huffman code of HPACK (RFC 7541 appendix B).
///
/// The code is canonical (within a length, codes rise with the symbol), so the lengths say all. Decoding runs a state
/// machine over half bytes: the shortest code has five bits, so half a byte completes at most one symbol.
package enum HuffmanCode {
    /// What half a byte does in a state.
    struct Transition {
        var next: UInt8 = 0
        var symbol: UInt8 = 0
        var flags: UInt8 = 0

        static let emits: UInt8 = 1
        /// The input may end here: what is open is a prefix of EOS shorter than a byte.
        static let accepts: UInt8 = 2
        static let fails: UInt8 = 4
    }

    static let endOfString = 256

    static let lengths: [UInt8] = [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
        28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
        6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
        20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23,
        23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22,
        22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26,
        27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27,
        26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
    ]

    /// Code of each symbol, in its low `lengths[symbol]` bits.
    static let codes: [UInt32] = {
        var codes = [UInt32](repeating: 0, count: lengths.count)
        var code: UInt32 = 0
        for length in UInt8(5)...30 {
            code <<= 1
            for symbol in lengths.indices where lengths[symbol] == length {
                codes[symbol] = code
                code += 1
            }
        }
        return codes
    }()

    /// 256 states by 16 half bytes; state 0 is between symbols. Made once, never freed.
    nonisolated(unsafe) static let transitions: UnsafePointer<Transition> = {
        let table = HuffmanTree().transitions()
        let memory = UnsafeMutablePointer<Transition>.allocate(capacity: table.count)
        memory.initialize(from: table, count: table.count)
        return UnsafePointer(memory)
    }()

    /// Bytes that `byteCount` coded bytes may become at most.
    static func decodedMax(_ byteCount: Int) -> Int { byteCount * 8 / 5 + 1 }

    /// Decodes into `out`, which has room for `decodedMax(input.count)` bytes. Nil if the input is no Huffman string.
    static func decode(
        _ input: ByteView, into out: UnsafeMutableRawPointer, table: UnsafePointer<Transition>
    ) -> Int? {
        var state = 0
        var count = 0
        var flags = Transition.accepts
        // Twice as many steps as bytes: the high half first.
        for step in 0..<input.count * 2 {
            let byte = Int(input[step >> 1])
            let half = step & 1 == 0 ? byte >> 4 : byte & 0x0F
            let transition = table[state << 4 | half]
            flags = transition.flags
            if flags & Transition.fails != 0 { return nil }
            if flags & Transition.emits != 0 {
                out.storeBytes(of: transition.symbol, toByteOffset: count, as: UInt8.self)
                count += 1
            }
            state = Int(transition.next)
        }
        return flags & Transition.accepts != 0 ? count : nil
    }

    /// Bytes of `input` when coded.
    static func encodedCount(_ input: [UInt8]) -> Int {
        var bits = 0
        for byte in input { bits += Int(lengths[Int(byte)]) }
        return (bits + 7) / 8
    }

    package static func encode(_ input: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(encodedCount(input))
        var pending: UInt64 = 0
        var bits = 0
        for byte in input {
            let length = Int(lengths[Int(byte)])
            pending = pending << UInt64(length) | UInt64(codes[Int(byte)])
            bits += length
            while bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: pending >> UInt64(bits)))
            }
        }
        // The rest of the last byte is the beginning of EOS: ones.
        if bits > 0 {
            let rest = UInt8(truncatingIfNeeded: pending << UInt64(8 - bits))
            out.append(rest | UInt8(0xFF) >> UInt8(bits))
        }
        return out
    }
}
