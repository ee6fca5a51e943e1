internal import Glibc

/// A file that is read and never changed.
final class ReadOnlyFile {
    let path: String
    let byteCount: Int
    private let descriptor: Int32

    init(_ path: String) throws(CommandFailure) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure("\(path): \(String(cString: strerror(errno)))") }
        let size = lseek(descriptor, 0, SEEK_END)
        guard size >= 0 else { throw CommandFailure("\(path): \(String(cString: strerror(errno)))") }
        byteCount = Int(size)
    }

    deinit { close(descriptor) }

    func read(_ range: Range<Int>) throws(CommandFailure) -> [UInt8] {
        do throws(ReadFailure) {
            return try bytes(range)
        } catch { throw CommandFailure("\(path): \(String(cString: strerror(error.errno)))") }
    }

    /// All of the range, or the `errno` of what failed: `EIO` where the file ends before it.
    func bytes(_ range: Range<Int>) throws(ReadFailure) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { memory, filled in
            while filled < range.count {
                let got = pread(
                    descriptor, memory.baseAddress! + filled, range.count - filled, off_t(range.lowerBound + filled))
                if got > 0 {
                    filled += got
                } else if got == 0 || errno != EINTR {
                    failure = got == 0 ? EIO : errno
                    return
                }
            }
        }
        guard failure == 0 else { throw ReadFailure(errno: failure) }
        return bytes
    }

    /// Refuses when another process has locked the file for itself, and keeps it from doing so meanwhile.
    func lock() throws(CommandFailure) {
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            throw CommandFailure("\(path): an etcd is running on it: stop it first")
        }
    }
}

struct ReadFailure: Error {
    var errno: Int32
}
