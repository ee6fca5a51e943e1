internal import Glibc

/// How the kernel names files.
enum FilePaths {
    /// Of an open file, empty for what has none.
    static func path(of descriptor: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let saved = errno
            defer { errno = saved }
            let count = readlink("/proc/self/fd/\(descriptor)", buffer.baseAddress!, buffer.count)
            return count <= 0 ? "" : String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }

    /// The path with no link in its directories; the file itself need not be there.
    static func resolved(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let directory = path.count > name.count ? String(path.dropLast(name.count)) : "."
        let saved = errno
        defer { errno = saved }
        guard let real = realpath(directory, nil) else { return path }
        defer { free(real) }
        return String(cString: real) + "/" + name
    }

    /// Of an existing directory.
    static func real(_ directory: String) -> String {
        guard let real = realpath(directory, nil) else { preconditionFailure("no directory \(directory)") }
        defer { free(real) }
        return String(cString: real)
    }

    /// What follows `directory` in the path of a file below it.
    static func name(of path: String, in directory: String) -> String? {
        guard path.utf8.count > directory.utf8.count + 1, path.hasPrefix(directory + "/") else { return nil }
        return String(path.dropFirst(directory.count + 1))
    }
}
