internal import Glibc

/// A program that a command runs, with this process's input and output.
enum ChildCommand {
    /// - Parameter variables: Added to the environment, as NAME=value.
    /// - Returns: Its exit code; 128 and the signal's number when one has ended it.
    static func run(_ words: [[UInt8]], variables: [[UInt8]]) throws(CommandFailure) -> Int32 {
        var arguments = words.map { duplicate($0) } + [nil]
        var environment = variables.map { duplicate($0) }
        var entry = environ
        while let variable = entry.pointee {
            environment.append(strdup(variable))
            entry += 1
        }
        environment.append(nil)
        defer { for pointer in arguments + environment { free(pointer) } }
        var child: pid_t = 0
        guard let program = arguments[0] else { preconditionFailure("no memory for a word of the command") }
        let failure = posix_spawnp(&child, program, nil, nil, &arguments, &environment)
        guard failure == 0 else {
            let name = String(decoding: words[0], as: UTF8.self)
            throw CommandFailure("exec: \(GoText.quoted(name)): \(String(cString: strerror(failure)))")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    private static func duplicate(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar>? {
        (bytes + [0]).withUnsafeBytes { $0.bindMemory(to: CChar.self).baseAddress.flatMap { strdup($0) } }
    }
}
