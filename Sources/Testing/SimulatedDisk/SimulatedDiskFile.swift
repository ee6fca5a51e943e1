internal import Glibc
internal import StrakeLog
internal import Synchronization

final class SimulatedDiskFile: DiskFile {
    private let disk: SimulatedDisk
    private let inode: Int
    private let path: String
    private let generation: Int

    init(disk: SimulatedDisk, inode: Int, path: String, generation: Int) {
        self.disk = disk
        self.inode = inode
        self.path = path
        self.generation = generation
    }

    func size() throws(DiskError) -> Int {
        try disk.state.withLock { (state) throws(DiskError) in
            try state.enter(.size, path)
            return try file(.size, &state).visible.count
        }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        disk.runInterrupt(before: .read)
        // An address, because a pointer may not cross into the lock's region.
        let address = UInt(bitPattern: bytes.baseAddress)
        let count = bytes.count
        return try disk.state.withLock { (state) throws(DiskError) in
            try state.enter(.read, path)
            let visible = try file(.read, &state).visible
            guard offset < visible.count, let target = UnsafeMutableRawPointer(bitPattern: address) else { return 0 }
            let taken = min(count, visible.count - offset)
            UnsafeMutableRawBufferPointer(start: target, count: taken)
                .copyBytes(from: visible[offset..<(offset + taken)])
            return taken
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        disk.runInterrupt(before: .write)
        let written = [UInt8](bytes)
        try disk.state.withLock { (state) throws(DiskError) in
            let file = try file(.write, &state)
            try state.checkRoom(for: file, path, upTo: offset + written.count)
            try state.change(.write, path) { _ in file.write(written, at: offset) }
        }
    }

    func sync() throws(DiskError) {
        disk.runInterrupt(before: .sync)
        try disk.state.withLock { (state) throws(DiskError) in
            try state.sync(try file(.sync, &state), path) { $0.sync() }
        }
    }

    func truncate(to size: Int) throws(DiskError) {
        try disk.state.withLock { (state) throws(DiskError) in
            let file = try file(.truncate, &state)
            try state.change(.truncate, path) { _ in file.truncate(to: size) }
        }
    }

    private func file(
        _ operation: DiskError.Operation, _ state: inout SimulatedDiskState
    ) throws(DiskError) -> SimulatedInode {
        guard generation == state.generation, let file = state.inodes[inode] else {
            throw DiskError(operation: operation, path: path, errno: EIO)
        }
        return file
    }
}

final class SimulatedLock: DiskLock {
    private let disk: SimulatedDisk
    private let path: String
    private let token: Int

    init(disk: SimulatedDisk, path: String, token: Int) {
        self.disk = disk
        self.path = path
        self.token = token
    }

    deinit { release() }

    func release() {
        disk.state.withLock { state in
            if state.locks[path] == token { state.locks[path] = nil }
        }
    }
}
