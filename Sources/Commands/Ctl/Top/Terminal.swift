internal import Glibc
internal import Synchronization

/// The terminal that a live view is shown on. It is given back as it was, however the view ends.
final class Terminal: Sendable {
    enum Input: Sendable {
        case key(UInt8)
        case resized
    }

    // The alternate screen, so that what was there comes back; no cursor; no new line at the right edge.
    private static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[H\u{1B}[2J"
    private static let leave = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"
    /// A terminal that does not tell its size.
    private static let standardSize = (width: 80, height: 24)

    /// How it was; nil once it is so again, and where no keys can be typed.
    private let before: Mutex<termios?>
    private let isEntered = Mutex(true)
    /// Written to by the handler of the signal that tells of a new size.
    private static let sizeChanges: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        return (ends[0], ends[1])
    }()

    static var isStandardOutput: Bool { isatty(STDOUT_FILENO) == 1 }

    init() {
        var settings = termios()
        if isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 {
            before = Mutex(settings)
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
            withUnsafeMutableBytes(of: &settings.c_cc) { keys in
                (keys[Int(VMIN)], keys[Int(VTIME)]) = (1, 0)
                // Control-C stays a signal, which restores the terminal. These would stop or end the process without that.
                // 0 is _POSIX_VDISABLE on Linux.
                for key in [VSUSP, VQUIT] { keys[Int(key)] = 0 }
            }
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        } else {
            before = Mutex(nil)
        }
        _ = Self.write(Self.enter)
    }

    /// A second call does nothing.
    func restore() {
        guard
            isEntered.withLock({ isEntered in
                defer { isEntered = false }
                return isEntered
            })
        else { return }
        _ = Self.write(Self.leave)
        before.withLock { settings in
            guard var was = settings else { return }
            settings = nil
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &was)
        }
    }

    static var size: (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return standardSize
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    // MARK: - Output

    /// Over the frame before, so that nothing flickers. False when the terminal is gone.
    func show(_ lines: [ScreenLine]) -> Bool {
        var frame = "\u{1B}[H"
        for (place, line) in lines.enumerated() {
            if place > 0 { frame += "\r\n" }
            switch line.style {
            case .plain: frame += line.text
            case .heading: frame += "\u{1B}[7m" + line.text + "\u{1B}[0m"
            case .problem: frame += "\u{1B}[1m" + line.text + "\u{1B}[0m"
            }
            frame += "\u{1B}[K"
        }
        return Self.write(frame + "\u{1B}[J")
    }

    /// To the standard output, whole. False when nobody takes it any more.
    static func write(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(count, 0))
        }
        return true
    }

    // MARK: - Input

    /// What is typed, and changes of size, on a thread of its own until the process ends.
    func read(_ take: @escaping @Sendable (Input) -> Void) {
        let changes = Self.sizeChanges
        signal(SIGWINCH) { _ in
            let before = errno
            defer { errno = before }
            var mark: UInt8 = 0
            _ = Glibc.write(Terminal.sizeChanges.write, &mark, 1)
        }
        let hasKeys = before.withLock { $0 != nil }
        BackgroundThread.run {
            var waits = [
                pollfd(fd: changes.read, events: Int16(POLLIN), revents: 0),
                pollfd(fd: hasKeys ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
            ]
            while true {
                guard poll(&waits, nfds_t(waits.count), -1) > 0 else { continue }
                var bytes = [UInt8](repeating: 0, count: 64)
                if waits[0].revents != 0 {
                    while Glibc.read(changes.read, &bytes, bytes.count) > 0 {}
                    take(.resized)
                }
                if waits[1].revents != 0 {
                    let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
                    // Nobody types any more.
                    if count == 0 || (count < 0 && errno != EINTR) { waits[1].fd = -1 }
                    for byte in bytes.prefix(max(count, 0)) { take(.key(byte)) }
                }
            }
        }
    }
}
