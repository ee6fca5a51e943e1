internal import Glibc

/// The file that a plot is written to.
enum PlotFile {
    /// Why it cannot be written; `nil` when it can, as far as can be told before.
    static func problem(with path: String) -> String? {
        let directory = path.contains("/") ? String(path[...path.lastIndex(of: "/")!]) : "."
        let place = access(path, F_OK) == 0 ? path : directory
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return String(cString: strerror(EISDIR)) }
        return access(place, W_OK) == 0 ? nil : String(cString: strerror(errno))
    }

    static func write(_ text: String, to path: String) throws(BenchError) {
        guard let file = fopen(path, "w") else {
            throw BenchError("--plot: cannot write \(path): \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw BenchError("--plot: cannot write \(path)") }
    }
}
