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

    static func lastComponent(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? ""
    }
}
