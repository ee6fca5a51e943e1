internal import Glibc

/// Reads passwords from the standard input, unseen where that is a terminal.
enum PasswordPrompt {
    /// As the terminal was before.
    private nonisolated(unsafe) static var terminal = termios()
    private static let endingSignals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    /// A line, without the white space around it; nothing at the input's end.
    static func ask(_ prompt: String) -> String {
        // First: a program that answers the prompt is fast.
        let isHidden = hide()
        CommandOutput.text(prompt)
        let line = line()
        if isHidden { show() }
        // The one that was typed was not seen.
        CommandOutput.line("")
        return line
    }

    /// A password that is given again when it is a new one, in etcdctl's words.
    static func askTwice(for name: String) throws(CommandFailure) -> String {
        let password = ask("Password of \(name): ")
        guard !password.isEmpty else { throw .arguments("empty password") }
        guard ask("Type password of \(name) again for confirmation: ") == password else {
            throw .arguments("given passwords are different")
        }
        return password
    }

    /// The first word of a line, which nobody is asked for.
    static func word() -> String { line().split { $0.isWhitespace }.first.map(String.init) ?? "" }

    /// A byte at a time: what follows the line is somebody else's.
    private static func line() -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0 && errno == EINTR { continue }
            guard count == 1, byte != 0x0A else { break }
            bytes.append(byte)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// False where there is no terminal.
    private static func hide() -> Bool {
        guard tcgetattr(STDIN_FILENO, &terminal) == 0 else { return false }
        // Who calls the prompt off gets his terminal back as it was.
        for number in endingSignals {
            signal(number) { number in
                tcsetattr(STDIN_FILENO, TCSANOW, &PasswordPrompt.terminal)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
        var quiet = terminal
        quiet.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &quiet)
        return true
    }

    private static func show() {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal)
        for number in endingSignals { signal(number, SIG_DFL) }
    }
}
