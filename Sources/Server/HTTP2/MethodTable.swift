/// The gRPC methods a server has: from `:path` to the method's number. Built once, shared by all connections.
package final class MethodTable: Sendable {
    /// `paths[number]`, such as "/etcdserverpb.KV/Range".
    package let paths: [String]
    private let encoded: [[UInt8]]
    /// Open addressing: a number, or -1.
    private let buckets: [Int32]

    package init(paths: [String]) {
        self.paths = paths
        encoded = paths.map { Array($0.utf8) }
        var size = 16
        while size < paths.count * 4 { size *= 2 }
        var buckets = [Int32](repeating: -1, count: size)
        for (number, path) in encoded.enumerated() {
            var bucket = path.withUnsafeBytes { Self.hash(ByteView($0)) } & (size - 1)
            while buckets[bucket] >= 0 { bucket = (bucket + 1) & (size - 1) }
            buckets[bucket] = Int32(number)
        }
        self.buckets = buckets
    }

    /// The method's number, or -1.
    func number(of path: ByteView) -> Int {
        let mask = buckets.count - 1
        var bucket = Self.hash(path) & mask
        while buckets[bucket] >= 0 {
            let number = Int(buckets[bucket])
            if Self.equal(path, encoded[number]) { return number }
            bucket = (bucket + 1) & mask
        }
        return -1
    }

    func hasService(_ service: String) -> Bool {
        let prefix = "/" + service + "/"
        return paths.contains { $0.hasPrefix(prefix) }
    }

    private static func equal(_ view: ByteView, _ bytes: [UInt8]) -> Bool {
        guard view.count == bytes.count else { return false }
        for index in 0..<view.count where view[index] != bytes[index] { return false }
        return true
    }

    /// FNV-1a. The keys are the server's own, so nobody can choose them to collide.
    private static func hash(_ bytes: ByteView) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3
        }
        return Int(truncatingIfNeeded: hash >> 8) & Int.max
    }
}
