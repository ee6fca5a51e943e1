internal import Glibc
internal import NIOCore

/// A line on the terminal that shows how far a run is. Nothing where standard error is no terminal.
struct ProgressBar: Sendable {
    private static let width = 30

    private let isShown = isatty(STDERR_FILENO) == 1

    func follow(_ progress: Progress, on loop: any EventLoop, label: String) -> RepeatedTask? {
        guard isShown else { return nil }
        return loop.scheduleRepeatedTask(initialDelay: .milliseconds(100), delay: .milliseconds(100)) { _ in
            let done = min(progress.done, progress.total)
            let filled = done * Self.width / max(1, progress.total)
            let seconds = max(1e-3, Double(Clock.nanoseconds - progress.started) / 1e9)
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
            Self.write(
                "\r\u{1B}[K\(label) \(bar) \(done * 100 / max(1, progress.total))%  \(done)/\(progress.total)  "
                    + "\(Int(Double(done) / seconds))/s")
        }
    }

    func clear() {
        if isShown { Self.write("\r\u{1B}[K") }
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
