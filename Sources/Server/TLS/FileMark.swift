internal import Glibc

/// What tells one state of a file from another without reading it.
struct FileMark: Equatable, Sendable {
    private var device: UInt64 = 0
    private var inode: UInt64 = 0
    private var size: Int64 = 0
    private var modified: (seconds: Int, nanoseconds: Int) = (0, 0)
    private var changed: (seconds: Int, nanoseconds: Int) = (0, 0)

    /// A file that is not there has a mark as well.
    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        changed = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
    }

    static func == (left: FileMark, right: FileMark) -> Bool {
        left.device == right.device && left.inode == right.inode && left.size == right.size
            && left.modified == right.modified && left.changed == right.changed
    }
}

extension FileMark {
    /// A longer file is no certificate, key or list of revoked certificates.
    private static let bytesMax = 64 << 20

    /// All of a file. Errors read as Go's do, which etcd's users know.
    static func contents(of path: String) throws(TLSError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TLSError("open \(path): \(reason())") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &piece, piece.count)
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
