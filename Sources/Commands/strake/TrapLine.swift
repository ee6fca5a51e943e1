internal import Glibc

/// The line of a seed whose process dies: a precondition of the code under test stops the process where it stands.
enum TrapLine {
    // Written once, before the handler is installed, and only read in it.
    nonisolated(unsafe) private static var line: UnsafeMutablePointer<CChar>?
    nonisolated(unsafe) private static var count = 0

    static func install(seed: UInt64) {
        let text = "seed=\(seed) broken: a precondition failed; a debug build says which\n"
        line = strdup(text)
        count = text.utf8.count
        for signalNumber in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS] {
            signal(signalNumber) { _ in
                // Only what may be done in a handler.
                _ = write(STDOUT_FILENO, TrapLine.line, TrapLine.count)
                _exit(1)
            }
        }
    }
}
