/// What the log needs of a file system. `FileDisk` is the real one; the simulated one cuts the power.
///
/// Paths are whole paths. Nothing is durable before `DiskFile.sync` (bytes) or `syncDirectory` (names) has returned.
package protocol Disk: Sendable {
    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile

    /// Makes one directory; it is no error if it is there already.
    func createDirectory(_ path: String) throws(DiskError)

    /// The names in a directory, sorted.
    func list(_ path: String) throws(DiskError) -> [String]

    /// Replaces `target` if it exists.
    func rename(_ path: String, to target: String) throws(DiskError)

    func remove(_ path: String) throws(DiskError)

    /// Removes an empty directory.
    func removeDirectory(_ path: String) throws(DiskError)

    /// Makes what was created, renamed and removed in the directory durable.
    func syncDirectory(_ path: String) throws(DiskError)

    /// Takes the exclusive lock of a lock file, which is created if absent, without waiting.
    ///
    /// - Returns: the lock, held until it is released or freed; nil if somebody holds it.
    func lock(_ path: String) throws(DiskError) -> (any DiskLock)?
}

package enum DiskOpenMode: Sendable {
    /// For reading and writing; it is an error if the file does not exist.
    case existing
    /// A new empty file; it is an error if the file exists.
    case new
}

package protocol DiskLock: AnyObject, Sendable {
    /// Idempotent.
    func release()
}

/// An open file, closed when freed. Safe to use from several threads.
package protocol DiskFile: AnyObject, Sendable {
    func size() throws(DiskError) -> Int

    /// Fills `bytes` from `offset` on. Returns fewer bytes at the end of the file only.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int

    /// Writes all of `bytes`, growing the file if need be.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError)

    /// Writes all of `bytes` over zeros, with the next sync at the latest; who reads here sees them at once. Nothing but
    /// zeros may follow them in the file: some of these may be written too.
    func append(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError)

    /// Gives up what only `append` needs, as long as it is not called again.
    func finishAppending() throws(DiskError)

    /// Makes what was written durable (fdatasync). After an error nothing is known about any write since the last sync,
    /// and a second call must not be trusted: the kernel may have dropped the pages and marked them clean.
    func sync() throws(DiskError)

    func truncate(to size: Int) throws(DiskError)
}

extension Disk {
    /// Makes a directory, those above it too, and makes it durable.
    func makeDirectory(_ path: String) throws(DiskError) {
        let slash = path.lastIndex(of: "/")
        let parent = slash == path.startIndex ? "/" : slash.map { String(path[..<$0]) } ?? "."
        do { try createDirectory(path) } catch {
            guard error.isNoSuchFile, parent != "/", parent != "." else { throw error }
            try makeDirectory(parent)
            try createDirectory(path)
        }
        // It may be there since a process that died before this.
        do { try syncDirectory(parent) } catch {
            // A parent that we may not read is not one in which we made anything.
            guard error.isAccessDenied else { throw error }
        }
    }
}

extension DiskFile {
    package func append(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try write(bytes, at: offset)
    }

    package func finishAppending() throws(DiskError) {}

    func write(_ bytes: [UInt8], at offset: Int) throws(DiskError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        try write(UnsafeRawBufferPointer(buffer), at: offset)
    }

    /// The file's first bytes, at most `countMax`.
    func readAll(countMax: Int) throws(DiskError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(try size(), countMax), alignment: 1)
        defer { buffer.deallocate() }
        let count = try read(into: buffer, at: 0)
        return [UInt8](buffer[..<count])
    }

    /// Writes zeros over `range`, in slices.
    func writeZeros(_ range: Range<Int>, sliceBytes: Int = 1 << 20) throws(DiskError) {
        let zeros = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(sliceBytes, max(range.count, 1)), alignment: 4_096)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let slice = UnsafeRawBufferPointer(rebasing: zeros[..<min(zeros.count, range.upperBound - offset)])
            try write(slice, at: offset)
            offset += slice.count
        }
    }
}
