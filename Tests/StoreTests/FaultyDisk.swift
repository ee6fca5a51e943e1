import StrakeLog

/// Real files, some of whose calls fail.
final class FaultyDisk: Disk {
    /// The errno a call on a path fails with; nil lets it through.
    typealias Rule = @Sendable (DiskError.Operation, String) -> Int32?

    private let base = FileDisk()
    private let rule: Rule

    init(_ rule: @escaping Rule) {
        self.rule = rule
    }

    fileprivate func check(_ operation: DiskError.Operation, _ path: String) throws(DiskError) {
        if let errno = rule(operation, path) { throw DiskError(operation: operation, path: path, errno: errno) }
    }

    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        try check(.open, path)
        return FaultyFile(try base.open(path, mode), path, self)
    }

    func createDirectory(_ path: String) throws(DiskError) {
        try check(.createDirectory, path)
        try base.createDirectory(path)
    }

    func list(_ path: String) throws(DiskError) -> [String] {
        try check(.list, path)
        return try base.list(path)
    }

    func rename(_ path: String, to target: String) throws(DiskError) {
        try check(.rename, path)
        try base.rename(path, to: target)
    }

    func remove(_ path: String) throws(DiskError) {
        try check(.remove, path)
        try base.remove(path)
    }

    func removeDirectory(_ path: String) throws(DiskError) {
        try check(.remove, path)
        try base.removeDirectory(path)
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        try check(.syncDirectory, path)
        try base.syncDirectory(path)
    }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
        try check(.lock, path)
        return try base.lock(path)
    }
}

private final class FaultyFile: DiskFile {
    private let base: any DiskFile
    private let path: String
    private let disk: FaultyDisk

    init(_ base: any DiskFile, _ path: String, _ disk: FaultyDisk) {
        self.base = base
        self.path = path
        self.disk = disk
    }

    func size() throws(DiskError) -> Int {
        try disk.check(.size, path)
        return try base.size()
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try disk.check(.read, path)
        return try base.read(into: bytes, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try disk.check(.write, path)
        try base.write(bytes, at: offset)
    }

    func append(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try disk.check(.write, path)
        try base.append(bytes, at: offset)
    }

    func finishAppending() throws(DiskError) {
        try disk.check(.write, path)
        try base.finishAppending()
    }

    func sync() throws(DiskError) {
        try disk.check(.sync, path)
        try base.sync()
    }

    func truncate(to size: Int) throws(DiskError) {
        try disk.check(.truncate, path)
        try base.truncate(to: size)
    }
}
