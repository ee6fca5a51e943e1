import Glibc

/// A directory for one test, removed with what is in it.
final class TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/strake-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { fatalError("mkdtemp: \(errno)") }
        path = String(cString: made)
    }

    deinit {
        for name in ["data.mdb", "lock.mdb"] { unlink(path + "/" + name) }
        rmdir(path)
    }
}
