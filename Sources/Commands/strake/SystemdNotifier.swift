internal import Glibc

/// Tells the service manager how far the process is, if it asks to be told (sd_notify(3)).
enum SystemdNotifier {
    enum State: String {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    /// A datagram to the socket that the environment names. Nobody there: nothing happens.
    static func tell(_ state: State) {
        guard let name = getenv("NOTIFY_SOCKET") else { return }
        var address = sockaddr_un()
        var path = Array(String(cString: name).utf8)
        guard let first = path.first, path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // A name that begins with @ is not in the file system.
        if first == UInt8(ascii: "@") { path[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + path.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array((state.rawValue + "\n").utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                // A manager that does not read must not hold the member up.
                _ = sendto(descriptor, message, message.count, Int32(MSG_DONTWAIT), $0, length)
            }
        }
    }
}
