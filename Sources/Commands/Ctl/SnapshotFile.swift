internal import Glibc
internal import StrakeBolt
internal import StrakeChecksum

/// A snapshot on disk: a database of etcd's, and behind it the checksum that it came with.
final class SnapshotFile {
    /// Of the database alone.
    let fileBytes: UInt64
    /// Nil for a database that was copied: it has none.
    let checksum: [UInt8]?
    let path: String
    private let descriptor: Int32

    init(_ path: String) throws(CtlError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CtlError("\(path): \(String(cString: strerror(errno)))") }
        let size = lseek(descriptor, 0, SEEK_END)
        guard size >= 0 else { throw CtlError("\(path): \(String(cString: strerror(errno)))") }
        // Pages are multiples of 512 bytes, so what is behind them can be told (etcd's rule).
        let hasChecksum = size >= SHA256.byteCount && Int(size) % 512 == SHA256.byteCount
        fileBytes = UInt64(size) - (hasChecksum ? UInt64(SHA256.byteCount) : 0)
        let bytes = hasChecksum ? try? Self.read(descriptor, fileBytes, SHA256.byteCount) : nil
        checksum = bytes
    }

    deinit { close(descriptor) }

    /// The file as a database. Damage in it is found where it is met.
    func database() throws(CtlError) -> BoltReader {
        do throws(BoltError) {
            return try BoltReader(fileBytes: fileBytes) { [self] offset, count throws(BoltError) in
                try Self.read(descriptor, offset, count)
            }
        } catch { throw CtlError("\(path): \(error)") }
    }

    /// Reads all of the database.
    func checkSum() throws(CtlError) {
        guard let checksum else { throw CtlError("\(path): snapshot missing hash but --skip-hash-check=false") }
        var sum = SHA256()
        var offset: UInt64 = 0
        do throws(BoltError) {
            while offset < fileBytes {
                let bytes = try Self.read(descriptor, offset, Int(min(1 << 20, fileBytes - offset)))
                sum.add(bytes)
                offset += UInt64(bytes.count)
            }
        } catch { throw CtlError("\(path): \(error)") }
        guard sum.value == checksum else {
            throw CtlError("\(path): expected sha256 \(Self.text(checksum)), got \(Self.text(sum.value))")
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func read(_ descriptor: Int32, _ offset: UInt64, _ count: Int) throws(BoltError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
            while filled < count {
                let got = pread(descriptor, memory.baseAddress! + filled, count - filled, off_t(offset) + filled)
                if got > 0 {
                    filled += got
                } else if got == 0 || errno != EINTR {
                    failure = got == 0 ? EIO : errno
                    return
                }
            }
        }
        guard failure == 0 else { throw .unreadable(failure) }
        return bytes
    }
}
