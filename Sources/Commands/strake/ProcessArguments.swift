internal import Glibc

/// The words that the process was started with.
enum ProcessArguments {
    /// The standard library looks for them beside the environment, and finds none once a preloaded library (libfaketime
    /// for one) has set a variable before `main`: the environment lies elsewhere then. The kernel still knows them.
    ///
    /// - Returns: Nil when nobody knows them; `errno` says why.
    static func all() -> [String]? {
        let found = CommandLine.arguments
        if !found.isEmpty { return found }
        guard let bytes = WholeFile.bytes(of: "/proc/self/cmdline") else { return nil }
        // Each word ends with a zero.
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
