internal import Glibc

/// The process's words as they were typed: keys may be no UTF-8.
enum RawArguments {
    /// The bytes of the last words of the command line.
    static func last(_ words: [String]) -> [[UInt8]] {
        let count = Int(CommandLine.argc)
        guard count >= words.count else { return words.map { Array($0.utf8) } }
        return (count - words.count..<count).map { index in
            guard let word = CommandLine.unsafeArgv[index] else { return [] }
            return Array(UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }
    }
}
