internal import Glibc

/// The little that is needed of the file system.
enum Files {
    /// Names of the files below a directory, as paths from there.
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if entry.pointee.d_type == UInt8(DT_REG) {
                names.append(name)
            } else if entry.pointee.d_type == UInt8(DT_DIR), name != ".", name != ".." {
                names += self.names(in: directory + "/" + name).map { name + "/" + $0 }
            }
        }
        return names
    }

    static func read(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { preconditionFailure("open \(path): \(errno)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    static func write(_ bytes: [UInt8], to path: String) {
        makeDirectories(above: path)
        guard let file = fopen(path, "w") else { fatalError("create \(path): \(errno)") }
        let written = fwrite(bytes, 1, bytes.count, file)
        precondition(fclose(file) == 0 && written == bytes.count, "write \(path): \(errno)")
    }

    private static func makeDirectories(above path: String) {
        let directory = String(path.dropLast(lastComponent(of: path).count + 1))
        guard !directory.isEmpty, access(directory, F_OK) != 0 else { return }
        makeDirectories(above: directory)
        mkdir(directory, 0o700)
    }

    /// Path of an open file, empty for what has none.
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
        let name = lastComponent(of: path)
        let directory = path.count > name.count ? String(path.dropLast(name.count)) : "."
        guard let real = realpath(directory, nil) else { return path }
        defer { free(real) }
        return String(cString: real) + "/" + name
    }

    static func lastComponent(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? ""
    }

    /// What follows `directory` in the path of a file below it.
    static func name(of path: String, in directory: String) -> String? {
        guard !directory.isEmpty, path.utf8.count > directory.utf8.count + 1, path.hasPrefix(directory + "/") else {
            return nil
        }
        return String(path.dropFirst(directory.count + 1))
    }
}
