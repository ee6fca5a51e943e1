internal import StrakeRaft
internal import Synchronization

/// One file of the log that is in use.
final class Segment: Sendable {
    let file: any DiskFile
    let path: String
    let sequence: UInt64
    let salt: UInt32
    /// Readers in the file. Its bytes may be used anew only when there are none; they are counted under the log's lock
    /// as long as the segment is listed, so a segment off the list gains no more.
    let readers = Atomic<Int>(0)

    init(file: any DiskFile, path: String, sequence: UInt64, salt: UInt32) {
        self.file = file
        self.path = path
        self.sequence = sequence
        self.salt = salt
    }

    func append(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(LogError) {
        do { try file.append(bytes, at: offset) } catch { throw named(error) }
    }

    func finishAppending() throws(LogError) {
        do { try file.finishAppending() } catch { throw named(error) }
    }

    func sync() throws(LogError) {
        do { try file.sync() } catch { throw named(error) }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(LogError) -> Int {
        do { return try file.read(into: bytes, at: offset) } catch { throw named(error) }
    }

    /// The file was opened under its name as a spare.
    private func named(_ error: DiskError) -> LogError {
        .disk(DiskError(operation: error.operation, path: path, errno: error.errno))
    }
}

/// A file that waits to become a segment.
struct SpareFile: Sendable {
    var file: any DiskFile
    var path: String
}
