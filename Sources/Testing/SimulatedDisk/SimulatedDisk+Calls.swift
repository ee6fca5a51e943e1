package import StrakeLog
internal import Synchronization

// The calls of a library that knows nothing of `Disk`, by the paths of its files.
extension SimulatedDisk {
    /// Writes to a file, which is created if absent.
    ///
    /// - Parameter isDurable: As through a descriptor that is O_DSYNC: what is written, and nothing else, is on disk on
    ///   return. When that fails the write may be seen all the same.
    package func write(
        _ bytes: [UInt8], to path: String, at offset: Int, isDurable: Bool
    ) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            let file = try state.file(path, .write, createsIt: true)
            try state.checkRoom(for: file, path, upTo: offset + bytes.count)
            try state.change(.write, path) { _ in file.write(bytes, at: offset) }
            if isDurable { try state.sync(file, path) { $0.syncSectors(offset, bytes.count) } }
        }
    }

    package func sync(_ path: String) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            try state.sync(try state.file(path, .sync), path) { $0.sync() }
        }
    }

    package func truncate(_ path: String, to size: Int) throws(DiskError) {
        try state.withLock { (state) throws(DiskError) in
            let file = try state.file(path, .truncate)
            try state.change(.truncate, path) { _ in file.truncate(to: size) }
        }
    }
}
