internal import Glibc
internal import Synchronization

final class FileDiskFile: DiskFile {
    /// The way past the page cache, opened with the first piece that is appended.
    private struct Direct: ~Copyable {
        var writer: DirectWriter?
        var isTried = false
    }

    private let descriptor: Int32
    private let path: String
    /// Its lock is held while the file is written: a file of which several threads want something has one that appends,
    /// and hands on what it gathered before it says that anything is there.
    private let direct = Mutex(Direct())

    init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func size() throws(DiskError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw error(.size) }
        return Int(status.st_size)
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try settle(before: offset + bytes.count)
        var done = 0
        while done < bytes.count {
            let count = pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw error(.read)
            }
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try settle()
        direct.withLock { $0.writer?.forget(offset..<offset + bytes.count) }
        guard writeThroughCache(bytes, at: offset) else { throw error(.write) }
    }

    func append(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        let piece = offset..<offset + bytes.count
        if direct.withLock({ $0.writer?.hasRoom(for: piece) == false }) { try settle() }
        let isTaken = direct.withLock { direct in
            openWriter(&direct)
            guard direct.writer?.takes(piece) == true else { return false }
            if direct.writer?.append(bytes, at: offset, reading: descriptor) == true { return true }
            direct.writer = nil
            return false
        }
        if !isTaken { try write(bytes, at: offset) }
    }

    func finishAppending() throws(DiskError) {
        try settle()
        direct.withLock { $0 = Direct() }
    }

    /// Writes what was appended before the file's byte `end`, if that still waits.
    private func settle(before end: Int = .max) throws(DiskError) {
        let failure = direct.withLock { direct -> Int32? in
            guard let gathered = direct.writer?.gathered, !gathered.isEmpty, gathered.lowerBound < end else {
                return nil
            }
            do throws(DirectWriteError) {
                if try direct.writer?.flush() == true { return nil }
            } catch { return error.errno }
            let isWritten = direct.writer?.withGathered { writeThroughCache($0, at: gathered.lowerBound) }
            guard isWritten == true else { return errno }
            direct.writer = nil
            return nil
        }
        if let failure { throw DiskError(operation: .write, path: path, errno: failure) }
    }

    /// - Returns: Whether all is written; if not, `errno` says why.
    private func writeThroughCache(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }

    private func openWriter(_ direct: inout Direct) {
        guard !direct.isTried, let size = try? size() else { return }
        direct.isTried = true
        direct.writer = DirectWriter(descriptor, size: size)
    }

    func sync() throws(DiskError) {
        try settle()
        // Not even EINTR is tried again: what the kernel did with the pages is not known.
        guard fdatasync(descriptor) == 0 else { throw error(.sync) }
    }

    func truncate(to size: Int) throws(DiskError) {
        try finishAppending()
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw error(.truncate) }
    }

    private func error(_ operation: DiskError.Operation) -> DiskError {
        DiskError(operation: operation, path: path, errno: errno)
    }
}

/// A `flock`: it belongs to the open file, so a second open in this process is refused too, and it ends with the process.
final class FileLock: DiskLock {
    private let descriptor: Atomic<Int32>

    init(_ descriptor: Int32) {
        self.descriptor = Atomic(descriptor)
    }

    deinit { release() }

    func release() {
        let held = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if held >= 0 { close(held) }
    }
}
