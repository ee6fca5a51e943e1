internal import Glibc

/// A failed system call.
package struct DiskError: Error, Hashable, Sendable {
    package enum Operation: String, Sendable, CaseIterable {
        case open, createDirectory, list, rename, remove, syncDirectory, lock, size, read, write, sync, truncate

        fileprivate var words: String {
            switch self {
            case .createDirectory: "create the directory"
            case .list: "list the directory"
            case .syncDirectory: "sync the directory"
            case .size: "read the size of"
            case .open, .rename, .remove, .lock, .read, .write, .sync, .truncate: rawValue
            }
        }
    }

    package var operation: Operation
    package var path: String
    package var errno: Int32

    package init(operation: Operation, path: String, errno: Int32) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    package var isDiskFull: Bool { errno == ENOSPC || errno == EDQUOT }
    package var isAccessDenied: Bool { errno == EACCES }
    package var isNoSuchFile: Bool { errno == ENOENT }
}

extension DiskError: CustomStringConvertible {
    package var description: String { "cannot \(operation.words) \(path): \(String(cString: strerror(errno)))" }
}
