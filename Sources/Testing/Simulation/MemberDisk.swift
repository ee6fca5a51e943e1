internal import StrakeLog
internal import StrakeSimulatedDisk
internal import StrakeTemporaryDirectory

/// A member's disk: a simulated one for the log and the small files, and for each of its directories a real one at the
/// side, for LMDB, which writes real files.
///
/// What LMDB has written stays, whatever happens, as long as its directory does.
final class MemberDisk: Disk {
    let simulated = SimulatedDisk()
    private let root: String

    /// - Parameter root: Where the real directories are.
    init(root: String) {
        self.root = root
        FileTree.makeDirectory(root)
    }

    /// Where LMDB may write for that directory. It is empty if the simulated one is new.
    func realPath(of directory: String) -> String { root + "/" + Self.realName(directory) }

    /// All in one directory, so that none has to be made before the other.
    private static func realName(_ directory: String) -> String {
        String(directory.dropFirst().map { $0 == "/" ? "_" : $0 })
    }

    /// A directory whose name a power cut took is gone with all that was in it.
    func powerCut(seed: UInt64) {
        simulated.powerCut(seed: seed)
        let kept = Set(simulated.directories.map(Self.realName))
        for name in FileTree.names(in: root) where !kept.contains(name) { FileTree.remove(root + "/" + name) }
    }

    // MARK: Disk

    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        try simulated.open(path, mode)
    }

    func createDirectory(_ path: String) throws(DiskError) {
        try simulated.createDirectory(path)
        FileTree.makeDirectory(realPath(of: path))
    }

    func removeDirectory(_ path: String) throws(DiskError) {
        try simulated.removeDirectory(path)
        FileTree.remove(realPath(of: path))
    }

    func list(_ path: String) throws(DiskError) -> [String] { try simulated.list(path) }

    func rename(_ path: String, to target: String) throws(DiskError) { try simulated.rename(path, to: target) }

    func remove(_ path: String) throws(DiskError) { try simulated.remove(path) }

    func syncDirectory(_ path: String) throws(DiskError) { try simulated.syncDirectory(path) }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { try simulated.lock(path) }
}
