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
}
