internal import Glibc
package import StrakeLog
internal import Synchronization

/// A disk in memory whose power can be cut, and which fails as told. Deterministic: the same calls and seeds give the same.
///
/// What it loses, it loses as disks and file systems may: unsynced bytes sector by sector, unsynced names in order.
package final class SimulatedDisk: Disk {
    let state: Mutex<SimulatedDiskState>

    package init(capacity: Int = Int.max) {
        state = Mutex(SimulatedDiskState(capacity: capacity))
    }

    package func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let (inode, generation) = try state.withLock { (state) throws(DiskError) in
            (try state.open(path, mode), state.generation)
        }
        return SimulatedDiskFile(disk: self, inode: inode, path: path, generation: generation)
    }

    package func createDirectory(_ path: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            try state.change(.createDirectory, path) { (state) throws(DiskError) in
                guard state.directories[path] == nil else { return }
                guard state.directories[SimulatedPath(path).directory] != nil else {
                    throw DiskError(operation: .createDirectory, path: path, errno: ENOENT)
                }
                state.directories[path] = SimulatedDirectory()
                state.unsyncedDirectories.insert(path)
            }
        }
    }

    package func list(_ path: String) throws(DiskError) -> [String] {
        try state.withLock { (state) throws(DiskError) in
            try state.enter(.list, path)
            guard let directory = state.directories[path] else {
                throw DiskError(operation: .list, path: path, errno: ENOENT)
            }
            let folders = state.directories.keys.filter { $0 != path && SimulatedPath($0).directory == path }
            return (directory.visible.keys + folders.map { SimulatedPath($0).name }).sorted()
        }
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        runInterrupt(before: .rename)
        try state.withLock { (state) throws(DiskError) in
            try state.change(.rename, path) { (state) throws(DiskError) in
                let (source, target) = (SimulatedPath(path), SimulatedPath(target))
                precondition(source.directory == target.directory, "renames stay in their directory")
                guard state.directories[source.directory]?.visible[source.name] != nil else {
                    throw DiskError(operation: .rename, path: path, errno: ENOENT)
                }
                state.directories[source.directory]?.rename(source.name, to: target.name)
            }
        }
    }

    package func remove(_ path: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            try state.change(.remove, path) { (state) throws(DiskError) in
                let place = SimulatedPath(path)
                guard state.directories[place.directory]?.visible[place.name] != nil else {
                    throw DiskError(operation: .remove, path: path, errno: ENOENT)
                }
                state.directories[place.directory]?.remove(place.name)
            }
        }
    }

    /// No power cut brings it back.
    package func removeDirectory(_ path: String) throws(DiskError) {
        let names = try list(path)
        try state.withLock { (state) throws(DiskError) in
            try state.change(.remove, path) { (state) throws(DiskError) in
                guard names.isEmpty else { throw DiskError(operation: .remove, path: path, errno: ENOTEMPTY) }
                state.directories[path] = nil
                state.unsyncedDirectories.remove(path)
            }
        }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            try state.synchronize(.syncDirectory, path) { state in
                state.directories[path]?.sync()
                for folder in state.unsyncedDirectories where SimulatedPath(folder).directory == path {
                    state.unsyncedDirectories.remove(folder)
                }
            }
        }
    }

    package func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
        let token: Int? = try state.withLock { (state) throws(DiskError) in
            try state.enter(.lock, path)
            guard state.locks[path] == nil else { return nil }
            state.nextLock += 1
            state.locks[path] = state.nextLock
            return state.nextLock
        }
        return token.map { SimulatedLock(disk: self, path: path, token: $0) }
    }
}

extension SimulatedDisk {
    /// Cuts the power and turns it on again: what was not synced is lost at random. Open files are dead, locks are free.
    package func powerCut(seed: UInt64) {
        state.withLock { $0.powerCut(seed: seed) }
    }

    /// Ends the process as SIGKILL does: nothing is lost, open files are dead, locks are free.
    package func crashProcess() {
        state.withLock { $0.restart() }
    }

    /// From the next-but-`count` change on, every call fails until `powerCut` or `crashProcess`. The change at which that
    /// begins has happened or not, as `powerCut` likes.
    package func loseContact(afterChanges count: Int) {
        state.withLock { $0.contactEndsAt = $0.changes + count }
    }

    /// Makes one call fail: the first of `operation` on a path that ends like this, after letting `callsBefore` of them
    /// pass. Nothing of the call happens; a failed sync also keeps the writes before it from ever being synced.
    package func fail(
        _ operation: DiskError.Operation, errno: Int32, afterCalls callsBefore: Int = 0, pathSuffix: String = ""
    ) {
        let fault = SimulatedDiskState.Fault(
            operation: operation, errno: errno, callsBefore: callsBefore, pathSuffix: pathSuffix)
        state.withLock { $0.faults.append(fault) }
    }

    /// From now on files take no more than this.
    package func setCapacity(_ bytes: Int) { state.withLock { $0.capacity = bytes } }

    package var bytesUsed: Int { state.withLock { $0.bytesUsed() } }

    /// The power is gone, and nobody has turned it on again.
    package var hasLostContact: Bool { state.withLock { $0.changes > $0.contactEndsAt } }

    /// Takes back what `fail` and `loseContact` asked for and has not come about.
    package func forgive() {
        state.withLock { state in
            state.faults = []
            if state.changes <= state.contactEndsAt { state.contactEndsAt = Int.max }
        }
    }

    /// Runs `body` just before the next call of `operation`, outside all locks: what another thread may do at that moment.
    package func interrupt(before operation: DiskError.Operation, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.interrupts[operation] = body }
    }

    func runInterrupt(before operation: DiskError.Operation) {
        let body = state.withLock { $0.interrupts.removeValue(forKey: operation) }
        body?()
    }

    package func flipBit(path: String, offset: Int, bit: Int) {
        state.withLock { state in
            guard let inode = state.inode(path) else { preconditionFailure("no file \(path)") }
            inode.flipBit(at: offset, bit: bit)
        }
    }

    /// Damages a file: from now on it holds `bytes`, durably, whatever was written. It is created if absent.
    package func replace(_ path: String, with bytes: [UInt8]) {
        state.withLock { $0.replace(path, with: bytes) }
    }

    package func contents(_ path: String) -> [UInt8]? {
        state.withLock { $0.inode(path)?.visible }
    }

    /// Paths of all directories, sorted.
    package var directories: [String] { state.withLock { $0.directories.keys.sorted() } }

    /// Changes so far (writes, syncs, names), to aim `loseContact`.
    package var changes: Int { state.withLock { $0.changes } }
}
