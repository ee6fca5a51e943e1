internal import Glibc

/// A directory that goes with what is in it.
final class ScratchDirectory {
    let path: String

    init(in directory: String) {
        var template = Array("\(directory)/strake-simulation-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            preconditionFailure("cannot make a directory in \(directory): \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
    }

    deinit { FileTree.remove(path) }
}
