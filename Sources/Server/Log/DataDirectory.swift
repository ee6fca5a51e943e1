internal import Synchronization

/// The directory that holds everything of one member: the log, the store, and a file that says whose it is.
package final class DataDirectory: Sendable {
    private static let formatFile = "STRAKE"
    private static let lockFile = "LOCK"
    private static let log = "log"
    private static let store = "store"
    /// What an interrupted creation may leave before `STRAKE` is there, certificates that were made first, and what the root
    /// of a file system holds.
    private static let ownNames: Set<String> = [
        lockFile, "STRAKE.new", log, store, "snapshots", "fixtures", "lost+found",
    ]

    package let path: String
    private let disk: any Disk
    private let lock: any DiskLock
    private let stored: Mutex<MemberIdentity?>

    /// Creates the directory if absent, locks it, and reads whose it is.
    package init(opening path: String, on disk: any Disk) throws(DataDirectoryError) {
        let slashes = path.reversed().prefix { $0 == "/" }.count
        let path = slashes < path.count ? String(path.dropLast(slashes)) : path
        self.path = path
        self.disk = disk
        let held: (any DiskLock)?
        let names: [String]
        do throws(DiskError) {
            try disk.makeDirectory(path)
            // Looked at before the lock file is made: a foreign directory is left untouched.
            names = try disk.list(path)
        } catch { throw .disk(error) }
        if !names.contains(Self.formatFile) { try Self.refuseForeign(names, path: path) }
        do { held = try disk.lock(path + "/" + Self.lockFile) } catch { throw .disk(error) }
        guard let held else { throw .locked(path: path) }
        lock = held
        stored = Mutex(try Self.readIdentity(path: path, on: disk))
    }

    /// Whose data it is; nil for a new directory.
    package var identity: MemberIdentity? { stored.withLock { $0 } }

    package var logPath: String { path + "/" + Self.log }
    package var storePath: String { path + "/" + Self.store }

    /// Refuses a directory that was emptied: without its log, which every member has, it would begin again as if nothing
    /// had ever been acknowledged.
    package func checkContents() throws(DataDirectoryError) {
        guard let identity else { return }
        let names: [String]
        do { names = try disk.list(path) } catch { throw .disk(error) }
        guard !names.contains(Self.log) else { return }
        throw .emptied(path: path, owner: identity, missing: [Self.log, Self.store].filter { !names.contains($0) })
    }

    /// Makes a new directory `identity`'s. Comes last when a member is created: from then on its log must exist.
    package func initialize(_ identity: MemberIdentity) throws(DataDirectoryError) {
        precondition(self.identity == nil, "the data directory has an owner")
        let target = path + "/" + Self.formatFile
        let draft = target + ".new"
        do throws(DiskError) {
            if try disk.list(path).contains(Self.formatFile + ".new") { try disk.remove(draft) }
            let file = try disk.open(draft, .new)
            try file.write(FormatFile.encode(identity), at: 0)
            try file.sync()
            try disk.rename(draft, to: target)
            try disk.syncDirectory(path)
        } catch { throw .disk(error) }
        stored.withLock { $0 = identity }
    }

    /// Refuses a directory that is somebody else's.
    package func check(_ expected: MemberIdentity) throws(DataDirectoryError) {
        guard let found = identity, found != expected else { return }
        throw .identityMismatch(path: path, expected: expected, found: found)
    }

    package func close() { lock.release() }

    private static func refuseForeign(_ names: [String], path: String) throws(DataDirectoryError) {
        let foreign = names.filter { !ownNames.contains($0) }
        guard !foreign.isEmpty else { return }
        if foreign.contains("member") { throw .etcdDirectory(path: path) }
        throw .foreign(path: path, names: Array(foreign.prefix(5)))
    }

    private static func readIdentity(
        path: String, on disk: any Disk
    ) throws(DataDirectoryError) -> MemberIdentity? {
        let path = path + "/" + formatFile
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.open(path, .existing).readAll(countMax: 4_096)
        } catch {
            if error.isNoSuchFile { return nil }
            throw .disk(error)
        }
        do { return try FormatFile.decode(bytes) } catch {
            switch error {
            case .damaged: throw .damaged(path: path)
            case .unsupportedFormat(let found):
                throw .unsupportedFormat(path: path, found: found, supported: FormatFile.format)
            }
        }
    }
}
