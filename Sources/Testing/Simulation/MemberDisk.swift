internal import StrakeFileCalls
internal import StrakeLog
internal import StrakeSimulatedDisk
internal import StrakeTemporaryDirectory
internal import Synchronization

/// A member's disk: a simulated one, and for each of its directories a real one at the side, for LMDB, which maps real
/// files.
///
/// A real file has what a process sees of the simulated one. What liblmdb writes and syncs goes to the simulated disk
/// first, which may refuse it; after a crash the real file becomes what that has left.
final class MemberDisk: Disk {
    /// The file of an environment. Its lock file is nothing that a crash leaves.
    static let storeFile = "data.mdb"

    let simulated = SimulatedDisk()
    // Set once, by the simulation's one thread.
    /// Told of what liblmdb is about to do, in a word.
    nonisolated(unsafe) var onCall: ((_ call: String, _ path: String, _ offset: Int, _ count: Int) -> Void)?
    /// A bug that was planted: liblmdb is told that its failed flushes have succeeded.
    nonisolated(unsafe) var ignoresFailedSyncs = false
    private let root: String
    private let watch = Mutex<FileCallWatch?>(nil)
    /// It does itself what the real files need.
    private let isMirroring = Atomic(false)

    /// - Parameter root: Where the real directories are.
    init(root: String) {
        self.root = root
        FileTree.makeDirectory(root)
        let watch = FileCallWatch(root, self)
        self.watch.withLock { $0 = watch }
    }

    /// Nothing is simulated any more.
    func close() { watch.withLock { $0 = nil } }

    /// Where LMDB may write for that directory. It is empty if the simulated one is new.
    func realPath(of directory: String) -> String { root + "/" + Self.realName(directory) }

    /// All in one directory, so that none has to be made before the other.
    private static func realName(_ directory: String) -> String {
        String(directory.dropFirst().map { $0 == "/" ? "_" : $0 })
    }

    // MARK: Crashes

    func powerCut(seed: UInt64) {
        simulated.powerCut(seed: seed)
        restore()
    }

    func crashProcess() {
        simulated.crashProcess()
        restore()
    }

    /// The real files become what the simulated disk has. None of them is open.
    private func restore() {
        mirror {
            let kept = simulated.directories.filter { $0 != "/" }
            let names = Set(kept.map(Self.realName))
            // A directory whose name a power cut took is gone with all that was in it.
            for name in FileTree.names(in: root) where !names.contains(name) { FileTree.remove(root + "/" + name) }
            for directory in kept {
                let real = realPath(of: directory)
                for name in FileTree.names(in: real) where name != Self.storeFile { FileTree.remove(real + "/" + name) }
                FileTree.replace(
                    real + "/" + Self.storeFile, with: simulated.contents(directory + "/" + Self.storeFile))
            }
        }
    }

    private func mirror(_ body: () -> Void) {
        isMirroring.store(true, ordering: .relaxed)
        body()
        isMirroring.store(false, ordering: .relaxed)
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
        mirror { FileTree.remove(realPath(of: path)) }
    }

    func list(_ path: String) throws(DiskError) -> [String] { try simulated.list(path) }

    func rename(_ path: String, to target: String) throws(DiskError) { try simulated.rename(path, to: target) }

    func remove(_ path: String) throws(DiskError) {
        try simulated.remove(path)
        guard path.hasSuffix("/" + Self.storeFile) else { return }
        mirror { FileTree.remove(realPath(of: String(path.dropLast(Self.storeFile.count + 1))) + "/" + Self.storeFile) }
    }

    func syncDirectory(_ path: String) throws(DiskError) { try simulated.syncDirectory(path) }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { try simulated.lock(path) }
}

// What liblmdb does, and what is done around it to make its file.
extension MemberDisk: FileCallObserver {
    func refusal(of call: FileCall, on file: String) -> Int32 {
        guard !isMirroring.load(ordering: .relaxed), let path = simulatedPath(of: file) else { return 0 }
        do throws(DiskError) {
            try carryOut(call, on: path)
            return 0
        } catch {
            if error.operation == .sync, ignoresFailedSyncs, !simulated.hasLostContact { return 0 }
            return error.errno
        }
    }

    func done(_ call: FileCall, on file: String, number: UInt64) {}

    private func carryOut(_ call: FileCall, on path: String) throws(DiskError) {
        switch call {
        case .write(let bytes, let offset, let isDurable):
            onCall?(isDurable ? "write and sync" : "write", path, offset, bytes.count)
            try simulated.write(bytes, to: path, at: offset, isDurable: isDurable)
        case .sync:
            onCall?("sync", path, 0, 0)
            if simulated.directories.contains(path) {
                try simulated.syncDirectory(path)
            } else {
                try simulated.sync(path)
            }
        case .truncate(let length):
            onCall?("truncate", path, length, 0)
            try simulated.truncate(path, to: length)
        case .rename(let target):
            guard let target = simulatedPath(of: target) else { return }
            onCall?("rename", path, 0, 0)
            try simulated.rename(path, to: target)
        case .remove:
            onCall?("remove", path, 0, 0)
            try simulated.remove(path)
        }
    }

    /// Nil for lock files. What is in a directory of LMDB's own making is taken as if it were beside that: a file moves
    /// out of it by one change of names, as in one directory.
    private func simulatedPath(of file: String) -> String? {
        let parts = file.split(separator: "/")
        guard let directory = simulated.directories.first(where: { Self.realName($0) == parts[0] }) else { return nil }
        if parts.last == "lock.mdb" { return nil }
        return ([directory] + (parts.count > 1 ? [parts[1...].joined(separator: "_")] : [])).joined(separator: "/")
    }
}
