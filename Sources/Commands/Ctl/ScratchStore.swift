internal import Glibc
internal import StrakeLog
internal import StrakeTables

/// Tables that are needed only until the command ends, in a directory beside what it makes.
struct ScratchStore {
    private static let suffix = ".scratch"

    let tables: StoreTables
    private let path: String

    init(beside directory: String) throws(CommandFailure) {
        let slashes = directory.reversed().prefix { $0 == "/" }.count
        path = String(directory.dropLast(slashes)) + Self.suffix
        guard mkdir(path, 0o700) == 0 else {
            let number = errno
            let reason = String(cString: strerror(number))
            let hint = number == EEXIST ? ", from a restore that was cut short: remove it" : ""
            throw CommandFailure("\(path): \(reason)\(hint)")
        }
        do {
            tables = try StoreTables(directory: path)
        } catch {
            rmdir(path)
            throw CommandFailure("\(path): \(error)")
        }
    }

    /// Once nothing reads the tables any more.
    func remove() {
        let disk = FileDisk()
        for name in (try? disk.list(path)) ?? [] { try? disk.remove(path + "/" + name) }
        rmdir(path)
    }
}
