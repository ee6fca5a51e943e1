internal import Glibc

/// Reads small files whole.
enum FileContents {
    /// A longer file is no certificate, key or list of revoked certificates.
    private static let bytesMax = 64 << 20

    /// All of a file. Errors read as Go's do, which etcd's users know.
    static func read(_ path: String) throws(TLSError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TLSError("open \(path): \(reason())") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw TLSError("read \(path): \(reason())")
            }
            bytes += piece[..<count]
            guard bytes.count <= bytesMax else { throw TLSError("\(path) is longer than \(bytesMax >> 20) MiB") }
        }
    }

    private static func reason() -> String {
        let text = String(cString: strerror(errno))
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
