internal import Glibc
internal import StrakeLogging

/// Tells the service manager how far the process is, if it asks to be told (sd_notify(3)).
enum SystemdNotifier {
    enum State: String {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    /// A datagram to the socket that the environment names. Nobody there: nothing happens.
    static func tell(_ state: State) {
        guard let path = getenv("NOTIFY_SOCKET"), let socket = try? DatagramSocket(to: String(cString: path)) else {
            return
        }
        // A manager that does not read must not hold the member up.
        _ = socket.send(Array((state.rawValue + "\n").utf8), waits: false)
    }
}
