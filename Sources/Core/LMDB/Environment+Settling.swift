internal import CLMDB

#if canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

extension Environment {
    /// Makes durable which tree the file shows, before any of its pages is written.
    ///
    /// When the sync of a meta page fails, that page may be on disk all the same; liblmdb then takes it back by a write
    /// that it does not sync. A process that opens the file after that sees the older meta page, and its first commit
    /// overwrites pages of the tree that the disk's meta page stands for: a power cut before the end of that commit would
    /// leave the meta page of the one tree and pages of the other. And the kernel may show a page as clean that it failed
    /// to write, so a sync alone is not enough.
    static func settle(_ raw: OpaquePointer) throws(LMDBError) {
        var descriptor: Int32 = -1
        try LMDBError.check(mdb_env_get_fd(raw, &descriptor), .open)
        var shape = MDB_stat()
        try LMDBError.check(mdb_env_stat(raw, &shape), .open)
        for page in 0..<2 { try rewriteHead(of: descriptor, at: page * Int(shape.ms_psize)) }
        guard fdatasync(descriptor) == 0 else { throw LMDBError(code: errno, operation: .open) }
    }

    /// A meta page's content is in its first sector, which is written whole or not at all.
    private static func rewriteHead(of descriptor: Int32, at offset: Int) throws(LMDBError) {
        var head = [UInt8](repeating: 0, count: 512)
        let count = pread(descriptor, &head, head.count, off_t(offset))
        guard count >= 0 else { throw LMDBError(code: errno, operation: .open) }
        guard count == head.count else { throw LMDBError(code: MDB_INVALID, operation: .open) }
        guard pwrite(descriptor, head, head.count, off_t(offset)) == head.count else {
            throw LMDBError(code: errno, operation: .open)
        }
    }
}
