internal import CLMDB

#if canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

extension Environment {
    /// Makes the file of a new environment appear whole or not at all.
    ///
    /// liblmdb writes the first two meta pages into place and refuses, at the next open, a file in which a power cut
    /// left them half written. So they are written and synced in a directory beside, and moved.
    static func createFile(in directory: String) throws(LMDBError) {
        let path = directory + "/data.mdb"
        if access(path, F_OK) == 0 { return }
        let nursery = directory + "/creating"
        guard mkdir(nursery, 0o700) == 0 || errno == EEXIST else { throw LMDBError(code: errno, operation: .create) }
        // What an earlier try left.
        unlink(nursery + "/data.mdb")
        unlink(nursery + "/lock.mdb")
        try writeEmptyEnvironment(in: nursery)
        guard rename(nursery + "/data.mdb", path) == 0 else { throw LMDBError(code: errno, operation: .create) }
        unlink(nursery + "/lock.mdb")
        rmdir(nursery)
        try syncDirectory(directory)
    }

    private static func writeEmptyEnvironment(in directory: String) throws(LMDBError) {
        var created: OpaquePointer?
        try LMDBError.check(mdb_env_create(&created), .create)
        defer { mdb_env_close(created) }
        try LMDBError.check(mdb_env_open(created, directory, UInt32(MDB_NOTLS), 0o600), .create)
        try LMDBError.check(mdb_env_sync(created, 1), .create)
    }

    private static func syncDirectory(_ directory: String) throws(LMDBError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LMDBError(code: errno, operation: .create) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LMDBError(code: errno, operation: .create) }
    }
}
