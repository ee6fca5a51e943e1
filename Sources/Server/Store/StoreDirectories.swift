internal import Glibc
internal import StrakeChecksum
package import StrakeLog
package import StrakeRaft

/// Which directory of a member's holds its store: `store`, until a snapshot of another member's takes its place.
///
/// A snapshot is built in a directory of its own. The file `CURRENT`, renamed into place, makes that the store, and only
/// then the log begins anew. `CURRENT` names the snapshot's last entry too, so that a start after a crash between the
/// two sees that the log is the old one. Directories that it does not name are of no use.
package struct StoreDirectories: Sendable {
    private static let file = "CURRENT"
    private static let prefix = "store"

    let root: String
    private let disk: any Disk
    package private(set) var current: String
    /// The snapshot's last entry, if the store came with one.
    private(set) var installed: EntryID?
    private var made = 0

    package init(in root: String, on disk: any Disk) throws(DiskError) {
        self.root = root
        self.disk = disk
        current = Self.prefix
        installed = nil
        if let (name, entry) = try Self.read(root, on: disk) {
            current = name
            installed = entry
        }
        try disk.createDirectory(currentPath)
    }

    package var currentPath: String { root + "/" + current }

    /// Makes a directory for a snapshot to be built in.
    package mutating func makeNew(for snapshot: EntryID) throws(DiskError) -> String {
        let taken = Set(try disk.list(root))
        var name: String
        repeat {
            made += 1
            name = "\(Self.prefix)-\(String(snapshot.index.rawValue, radix: 16))-\(made)"
        } while taken.contains(name)
        try disk.createDirectory(root + "/" + name)
        try disk.syncDirectory(root)
        return name
    }

    package func path(of name: String) -> String { root + "/" + name }

    /// Makes a directory the store; durable on return. Its files must be durable.
    package mutating func install(_ name: String, snapshot: EntryID) throws(DiskError) {
        try disk.syncDirectory(path(of: name))
        let draft = path(of: Self.file + ".new")
        if try disk.list(root).contains(Self.file + ".new") { try disk.remove(draft) }
        let file = try disk.open(draft, .new)
        let bytes = Array(Self.text(name, snapshot).utf8)
        try bytes.withUnsafeBufferPointer { bytes throws(DiskError) in
            try file.write(UnsafeRawBufferPointer(bytes), at: 0)
        }
        try file.sync()
        try disk.rename(draft, to: path(of: Self.file))
        try disk.syncDirectory(root)
        current = name
        installed = snapshot
    }

    /// The log is from before the snapshot that the store came with.
    package func isLogBehind(_ log: DurableLog, _ applied: EntryID) -> Bool {
        guard let installed, installed == applied else { return false }
        guard log.lastIndex >= installed.index else { return true }
        return (try? log.term(at: installed.index)) != installed.term
    }

    /// Removes the directories of stores and snapshots that are not the current one.
    package func removeOthers() throws(DiskError) {
        for name in try disk.list(root) where name.hasPrefix(Self.prefix) && name != current { try remove(name) }
    }

    func remove(_ name: String) throws(DiskError) {
        precondition(name != current, "\(name) is the store")
        do throws(DiskError) {
            try removeTree(path(of: name))
        } catch {
            if !error.isNoSuchFile { throw error }
        }
    }

    private func removeTree(_ path: String) throws(DiskError) {
        for name in try disk.list(path) {
            do throws(DiskError) {
                try disk.remove(path + "/" + name)
            } catch {
                // LMDB's first file is made in a directory of its own, which a crash may leave.
                guard error.errno == EISDIR else { throw error }
                try removeTree(path + "/" + name)
            }
        }
        try disk.removeDirectory(path)
    }

    // MARK: The file

    private static func text(_ name: String, _ snapshot: EntryID) -> String {
        let lines = """
            strake store
            directory \(name)
            term \(snapshot.term.rawValue)
            index \(snapshot.index.rawValue)

            """
        return "\(lines)checksum \(String(CRC32C.checksum(Array(lines.utf8)), radix: 16))\n"
    }

    private static func read(
        _ root: String, on disk: any Disk
    ) throws(DiskError) -> (name: String, snapshot: EntryID)? {
        let path = root + "/" + file
        guard try disk.list(root).contains(file) else { return nil }
        let bytes = try disk.open(path, .existing)
        let size = min(try bytes.size(), 4_096)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        defer { buffer.deallocate() }
        let count = try bytes.read(into: buffer, at: 0)
        let found = String(decoding: buffer[..<count], as: UTF8.self)
        let lines = found.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 6, let term = UInt64(lines[2].dropFirst(5)), let index = UInt64(lines[3].dropFirst(6))
        else { throw DiskError(operation: .read, path: path, errno: EBADMSG) }
        let name = String(lines[1].dropFirst(10))
        let entry = EntryID(term: Term(rawValue: term), index: LogIndex(rawValue: index))
        // There is one way to write it, so this compares the checksum and everything else.
        guard text(name, entry) == found else { throw DiskError(operation: .read, path: path, errno: EBADMSG) }
        return (name, entry)
    }
}
