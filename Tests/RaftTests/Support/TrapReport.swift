import Glibc

/// Says what a thread was at when it trapped: a failed precondition ends the process before any test can speak.
enum TrapReport {
    // The key of the thread's text. Written once, before any thread uses it.
    private nonisolated(unsafe) static var key = pthread_key_t()

    /// Has the text of a thread that traps written to standard error, before the trap does what it always does.
    static func install() {
        pthread_key_create(&key, nil)
        for number in [SIGILL, SIGTRAP] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                // Only calls that a signal handler may make: no allocation, no lock.
                if let text = pthread_getspecific(TrapReport.key) {
                    let bytes = text.assumingMemoryBound(to: CChar.self)
                    write(STDERR_FILENO, bytes, strlen(bytes))
                }
                // The instruction is run again and traps for good.
                signal(number, SIG_DFL)
            }
            sigaction(number, &action, nil)
        }
    }

    /// Runs `body`, which stays on its thread, under a text of one line.
    static func name(_ text: String, _ body: () -> Void) {
        (text + "\n").withCString { bytes in
            pthread_setspecific(key, bytes)
            body()
            pthread_setspecific(key, nil)
        }
    }
}
