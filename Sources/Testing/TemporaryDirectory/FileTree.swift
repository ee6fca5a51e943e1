internal import Glibc

/// The little that is needed of the real file system.
package enum FileTree {
    package static func makeDirectory(_ path: String) {
        precondition(mkdir(path, 0o700) == 0 || errno == EEXIST, "mkdir \(path): \(String(cString: strerror(errno)))")
    }

    /// Sorted; none where there is no such directory.
    package static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file, or a directory with all that is in it.
    package static func remove(_ path: String) {
        if unlink(path) == 0 || errno == ENOENT { return }
        for name in names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }

    /// Makes a file hold these bytes; nil: makes it go. One that differs becomes another file, so that a map of the old
    /// one keeps what it shows.
    package static func replace(_ path: String, with bytes: [UInt8]?) {
        guard let bytes else { return remove(path) }
        if contents(path) == bytes { return }
        remove(path)
        guard let file = fopen(path, "w") else {
            preconditionFailure("create \(path): \(String(cString: strerror(errno)))")
        }
        let written = fwrite(bytes, 1, bytes.count, file)
        precondition(fclose(file) == 0 && written == bytes.count, "write \(path): \(String(cString: strerror(errno)))")
    }

    private static func contents(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var status = stat()
        guard fstat(fileno(file), &status) == 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
    }
}
