internal import Glibc

/// The operating system's files.
package struct FileDisk: Disk {
    package init() {}

    package func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let flags = mode == .new ? O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL : O_RDWR | O_CLOEXEC
        return FileDiskFile(try Self.descriptor(.open, path, flags), path: path)
    }

    package func createDirectory(_ path: String) throws(DiskError) {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw DiskError(operation: .createDirectory, path: path, errno: errno)
    }

    package func list(_ path: String) throws(DiskError) -> [String] {
        guard let stream = opendir(path) else { throw DiskError(operation: .list, path: path, errno: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let record = readdir(stream) {
            let name = withUnsafePointer(to: &record.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw DiskError(operation: .list, path: path, errno: errno) }
        return names.sorted()
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        guard Glibc.rename(path, target) == 0 else { throw DiskError(operation: .rename, path: path, errno: errno) }
    }

    package func remove(_ path: String) throws(DiskError) {
        guard unlink(path) == 0 else { throw DiskError(operation: .remove, path: path, errno: errno) }
    }

    package func removeDirectory(_ path: String) throws(DiskError) {
        guard rmdir(path) == 0 else { throw DiskError(operation: .remove, path: path, errno: errno) }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        let descriptor = try Self.descriptor(.syncDirectory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DiskError(operation: .syncDirectory, path: path, errno: errno) }
    }

    package func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
        let descriptor = try Self.descriptor(.lock, path, O_RDWR | O_CREAT | O_CLOEXEC)
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return FileLock(descriptor) }
        let code = errno
        close(descriptor)
        if code == EWOULDBLOCK { return nil }
        throw DiskError(operation: .lock, path: path, errno: code)
    }

    private static func descriptor(
        _ operation: DiskError.Operation, _ path: String, _ flags: Int32
    ) throws(DiskError) -> Int32 {
        let descriptor = Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else { throw DiskError(operation: operation, path: path, errno: errno) }
        return descriptor
    }
}
