internal import Glibc

/// Sends to a socket of another process on this machine, which may begin, end and begin again meanwhile.
package final class DatagramSocket: Sendable {
    private let descriptor: Int32
    private let address: [UInt8]

    /// - Parameter path: In the file system, or behind an `@` in the kernel's own names.
    /// - Throws: Also when nobody is there yet.
    package init(to path: String) throws(DatagramError) {
        var storage = sockaddr_un()
        var name = Array(path.utf8)
        guard let first = name.first, name.count < MemoryLayout.size(ofValue: storage.sun_path) else {
            throw DatagramError(code: EINVAL)
        }
        if first == UInt8(ascii: "@") { name[0] = 0 }
        storage.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &storage.sun_path) { $0.copyBytes(from: name) }
        let count = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + name.count
        address = withUnsafeBytes(of: storage) { Array($0.prefix(count)) }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw DatagramError(code: errno) }
        do { try reach() } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Connected for a moment only: a connection would end with the other process.
    private func reach() throws(DatagramError) {
        let probe = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { throw DatagramError(code: errno) }
        defer { close(probe) }
        guard withAddress({ connect(probe, $0, $1) }) == 0 else { throw DatagramError(code: errno) }
    }

    /// - Parameter waits: Until there is room, instead of giving up.
    /// - Returns: It was taken, whole.
    package func send(_ message: [UInt8], waits: Bool) -> Bool {
        // A peer that is gone is no reason for a signal.
        let flags = Int32(MSG_NOSIGNAL) | (waits ? 0 : Int32(MSG_DONTWAIT))
        while true {
            let count = withAddress { sendto(descriptor, message, message.count, flags, $0, $1) }
            if count < 0, errno == EINTR { continue }
            return count == message.count
        }
    }

    private func withAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        address.withUnsafeBytes { bytes in
            var storage = sockaddr_un()
            withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: bytes) }
            return withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
            }
        }
    }
}

/// What the system said.
package struct DatagramError: Error {
    package let code: Int32
}
