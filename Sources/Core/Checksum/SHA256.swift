internal import CChecksum

/// SHA-256 (FIPS 180-4) of bytes that come in pieces: the checksum behind etcd's snapshots.
package struct SHA256: Sendable {
    package static let byteCount = 32
    private static let blockBytes = 64

    private let usesInstructions: Bool
    /// FIPS 180-4, 5.3.3.
    private var state: [UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    /// Less than a block.
    private var rest: [UInt8] = []
    private var count: UInt64 = 0

    package init() { self.init(usesInstructions: true) }

    /// - Parameter usesInstructions: False: without the processor's, for tests.
    package init(usesInstructions: Bool) {
        self.usesInstructions = usesInstructions
    }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        count += UInt64(bytes.count)
        var bytes = bytes
        if !rest.isEmpty {
            let missing = min(Self.blockBytes - rest.count, bytes.count)
            rest += bytes[..<missing]
            bytes = UnsafeRawBufferPointer(rebasing: bytes[missing...])
            guard rest.count == Self.blockBytes else { return }
            rest.withUnsafeBytes { addBlocks($0) }
            rest.removeAll(keepingCapacity: true)
        }
        let whole = bytes.count / Self.blockBytes * Self.blockBytes
        addBlocks(UnsafeRawBufferPointer(rebasing: bytes[..<whole]))
        rest += bytes[whole...]
    }

    package mutating func add(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { add($0) }
    }

    private mutating func addBlocks(_ bytes: UnsafeRawBufferPointer) {
        let blocks = bytes.count / Self.blockBytes
        guard blocks > 0 else { return }
        if usesInstructions {
            strake_sha256(&state, bytes.baseAddress, blocks)
        } else {
            strake_sha256_portable(&state, bytes.baseAddress, blocks)
        }
    }

    /// The checksum of what was added so far.
    package var value: [UInt8] {
        var last = self
        let bits = count * 8
        // A one bit, zeros up to the last eight bytes of a block, the number of bits.
        last.add([0x80])
        last.add([UInt8](repeating: 0, count: (2 * Self.blockBytes - 8 - last.rest.count) % Self.blockBytes))
        last.add(withUnsafeBytes(of: bits.bigEndian) { Array($0) })
        return last.state.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }
}
