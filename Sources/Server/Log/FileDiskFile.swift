internal import Glibc
internal import Synchronization

final class FileDiskFile: DiskFile {
    /// The way past the page cache, opened with the first piece that may go it.
    private struct Direct: ~Copyable {
        var writer: DirectWriter?
        var isTried = false
    }

    private let descriptor: Int32
    private let path: String
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

    /// A short piece of what the file holds already goes past the page cache; what makes it longer does not.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        if try writeDirectly(bytes, at: offset) { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw error(.write)
            }
        }
    }

    /// - Returns: Whether it is written.
    private func writeDirectly(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) -> Bool {
        do {
            return try direct.withLock { (direct) throws(DirectWriteError) in
                let piece = offset..<offset + bytes.count
                if piece.count <= DirectWriter.bytesMax { openWriter(&direct) }
                guard direct.writer?.takes(piece) == true else {
                    direct.writer?.forget(piece)
                    return false
                }
                if try direct.writer?.write(bytes, at: offset, reading: descriptor) == true { return true }
                direct.writer = nil
                return false
            }
        } catch {
            throw DiskError(operation: .write, path: path, errno: error.errno)
        }
    }

    private func openWriter(_ direct: inout Direct) {
        guard !direct.isTried, let size = try? size(), size >= DirectWriter.fileBytesMin else { return }
        direct.isTried = true
        direct.writer = DirectWriter(descriptor, size: size)
    }

    func sync() throws(DiskError) {
        // Not even EINTR is tried again: what the kernel did with the pages is not known.
        guard fdatasync(descriptor) == 0 else { throw error(.sync) }
    }

    func truncate(to size: Int) throws(DiskError) {
        direct.withLock { $0 = Direct() }
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
