internal import StrakeBolt
internal import StrakeChecksum

/// A snapshot on disk: a database of etcd's, and behind it the checksum that it came with.
final class SnapshotFile {
    /// Of the database alone.
    let fileBytes: UInt64
    /// Nil for a database that was copied: it has none.
    let checksum: [UInt8]?
    private let file: ReadOnlyFile
    var path: String { file.path }

    init(_ path: String) throws(CommandFailure) {
        file = try ReadOnlyFile(path)
        // Pages are multiples of 512 bytes, so what is behind them can be told (etcd's rule).
        let size = file.byteCount
        let hasChecksum = size >= SHA256.byteCount && size % 512 == SHA256.byteCount
        let end = size - (hasChecksum ? SHA256.byteCount : 0)
        fileBytes = UInt64(end)
        checksum = hasChecksum ? try? file.read(end..<size) : nil
    }

    /// The file as a database. Damage in it is found where it is met.
    func database() throws(CommandFailure) -> BoltReader {
        do throws(BoltError) {
            return try BoltReader(fileBytes: fileBytes) { [self] offset, count throws(BoltError) in
                try read(offset, count)
            }
        } catch { throw CommandFailure("\(path): \(error)") }
    }

    /// Reads all of the database.
    func checkSum() throws(CommandFailure) {
        guard let checksum else { throw CommandFailure("\(path): snapshot missing hash but --skip-hash-check=false") }
        var sum = SHA256()
        var offset: UInt64 = 0
        do throws(BoltError) {
            while offset < fileBytes {
                let bytes = try read(offset, Int(min(1 << 20, fileBytes - offset)))
                sum.add(bytes)
                offset += UInt64(bytes.count)
            }
        } catch { throw CommandFailure("\(path): \(error)") }
        guard sum.value == checksum else {
            throw CommandFailure("\(path): expected sha256 \(Self.text(checksum)), got \(Self.text(sum.value))")
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func read(_ offset: UInt64, _ count: Int) throws(BoltError) -> [UInt8] {
        do throws(ReadFailure) {
            return try file.bytes(Int(offset)..<Int(offset) + count)
        } catch { throw .unreadable(error.errno) }
    }
}
