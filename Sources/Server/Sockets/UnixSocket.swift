internal import Glibc
internal import NIOCore

/// Sockets in the file system.
package enum UnixSocket {
    /// What `sun_path` holds, with the zero at the end.
    package static let pathBytesMax = 107

    /// A bound socket that nobody but this user can connect to, once it is listened on. One that a process left behind is
    /// taken away; one that somebody listens on is not.
    package static func bind(_ path: String) throws -> CInt {
        guard path.utf8.count <= pathBytesMax else {
            throw ListenError("the path of the socket \(path) is longer than \(pathBytesMax) bytes")
        }
        if isThere(path) {
            guard !answers(path) else { throw IOError(errnoCode: EADDRINUSE, reason: "bind") }
            unlink(path)
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        // The mode is set before anybody can connect.
        guard withAddress(path, { Glibc.bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0 else {
            let code = errno
            close(descriptor)
            throw IOError(errnoCode: code, reason: "bind")
        }
        return descriptor
    }

    package static func remove(_ path: String) {
        unlink(path)
    }

    private static func isThere(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func answers(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withAddress(path) { connect(descriptor, $0, $1) } == 0
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
