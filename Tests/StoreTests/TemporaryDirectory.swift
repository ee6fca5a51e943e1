import Glibc

/// A directory for one test, removed with what is in it.
final class TemporaryDirectory {
    enum Place: String {
        case disk = "/tmp"
        /// Where a sync costs nothing; for tests that play the disk themselves.
        case memory = "/dev/shm"
    }

    let path: String

    init(in place: Place = .disk) {
        var template = Array("\(place.rawValue)/strake-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { fatalError("mkdtemp: \(errno)") }
        path = String(cString: made)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != "." && name != ".." { remove(path + "/" + name) }
            }
            closedir(stream)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
