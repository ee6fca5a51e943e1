internal import Glibc

/// What a command prints. Values may be any bytes, so nothing goes through strings that need not.
enum CommandOutput {
    static func line(_ text: String) { write(Array(text.utf8) + [0x0A], to: STDOUT_FILENO) }
    static func line(_ bytes: [UInt8]) { write(bytes + [0x0A], to: STDOUT_FILENO) }
    static func bytes(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }
    static func text(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }
    static func complaint(_ text: String) { write(Array(text.utf8) + [0x0A], to: STDERR_FILENO) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            guard count > 0 || errno == EINTR else { return }
            offset += max(count, 0)
        }
    }

    /// All that is left of the standard input.
    static func readInput() -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = readSome() { bytes += more }
        return bytes
    }

    /// Nil at the end.
    private static func readSome() -> [UInt8]? {
        while true {
            var failed: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { memory, count in
                let got = read(STDIN_FILENO, memory.baseAddress, memory.count)
                failed = got < 0 ? errno : 0
                count = max(0, got)
            }
            if failed == EINTR { continue }
            return bytes.isEmpty ? nil : bytes
        }
    }

    /// Lines of the standard input, one at a time as they come.
    struct Lines {
        private var pending: [UInt8] = []

        /// Without its end; nil when the input ends before a line does.
        mutating func next() -> String? {
            while true {
                if let end = pending.firstIndex(of: 0x0A) {
                    let line = String(decoding: pending[..<end], as: UTF8.self)
                    pending.removeFirst(end + 1)
                    return line
                }
                guard let more = CommandOutput.readSome() else { return nil }
                pending += more
            }
        }
    }
}
