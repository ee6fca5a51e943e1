internal import CLMDB

#if canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

extension Environment {
    /// Sizes as of now. Reads the whole free list: tens of rows as a rule, a good many after a mass deletion.
    package func statistics() throws(LMDBError) -> EnvironmentStatistics {
        let txn = try beginRead()
        var info = MDB_envinfo()
        try LMDBError.check(mdb_env_info(raw, &info), .statistics)
        var shape = MDB_stat()
        try LMDBError.check(mdb_env_stat(raw, &shape), .statistics)
        return EnvironmentStatistics(
            pageBytes: Int(shape.ms_psize), mapBytes: info.me_mapsize, lastPage: info.me_last_pgno,
            freePages: try Self.freePages(in: txn), fileBytes: try fileBytes(),
            lastTransaction: UInt64(info.me_last_txnid), readersUsed: Int(info.me_numreaders))
    }

    private static func freePages(in txn: borrowing ReadTransaction) throws(LMDBError) -> Int {
        var rows = try txn.cursor(in: .freePages)
        var pages = 0
        while try rows.next() {
            // A row is a list of page numbers, with their count in front.
            guard rows.value.count >= MemoryLayout<Int>.size else {
                throw LMDBError(code: MDB_CORRUPTED, operation: .statistics)
            }
            pages += rows.value.loadUnaligned(as: Int.self)
        }
        return pages
    }

    private func fileBytes() throws(LMDBError) -> Int {
        var descriptor: Int32 = -1
        try LMDBError.check(mdb_env_get_fd(raw, &descriptor), .statistics)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LMDBError(code: errno, operation: .statistics) }
        return Int(status.st_size)
    }
}
