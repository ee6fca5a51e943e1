internal import Glibc
internal import Synchronization

/// A directory that goes with what is in it.
///
/// A process that dies leaves its directories behind. Their names have its number, so the next process that makes one of
/// the same kind in the same place removes them.
public final class TemporaryDirectory: Sendable {
    public enum Place: String, Sendable {
        case disk = "/tmp"
        /// Where a sync costs nothing; for tests that play the disk themselves.
        case memory = "/dev/shm"
    }

    public let path: String

    /// For a test.
    public convenience init(in place: Place = .disk) {
        self.init(of: "strake-test", in: place.rawValue)
    }

    /// - Parameter kind: How its name begins.
    public init(of kind: String, in directory: String) {
        Self.sweep(kind, in: directory)
        var template = Array("\(directory)/\(kind)-\(getpid())-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            preconditionFailure("cannot make a directory in \(directory): \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
    }

    deinit { FileTree.remove(path) }

    // MARK: What others left

    private static let swept = Mutex<Set<String>>([])

    /// Once in a process is enough.
    private static func sweep(_ kind: String, in directory: String) {
        guard swept.withLock({ $0.insert("\(directory)/\(kind)").inserted }) else { return }
        for name in FileTree.names(in: directory) where name.hasPrefix(kind + "-") {
            let parts = name.dropFirst(kind.count + 1).split(separator: "-")
            guard parts.count == 2, let process = pid_t(parts[0]), process > 0, kill(process, 0) != 0, errno == ESRCH
            else {
                continue
            }
            FileTree.remove(directory + "/" + name)
        }
    }
}
