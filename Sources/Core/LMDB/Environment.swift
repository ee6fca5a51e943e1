internal import CLMDB
internal import Synchronization

/// An LMDB environment: one file of named tables, many readers, one writer at a time.
///
/// Every commit is synced in liblmdb's ordinary way (pages, fdatasync, meta page), so what a returned commit wrote
/// survives a power cut. Open a directory once per process, under a lock that the caller holds.
package final class Environment: Sendable {
    /// Address space, not disk: the file grows as pages are used. A backstop behind the quota.
    package static let mapBytesDefault = 1 << 40
    /// Read transactions at once, idle ones in the pool included. A slot is 64 bytes of the lock file.
    package static let readersMax = 1_024
    /// Idle read transactions kept for the next reader; more than there are threads is enough.
    static let idleReadersMax = 128

    /// What a commit waits for.
    package enum Durability: Sendable {
        case full
        /// MDB_NOSYNC: a power cut may corrupt the file. For tests that show what the syncs are for.
        case nothing
    }

    /// A read transaction that was reset: it keeps its reader slot and pins no page.
    struct IdleReader: @unchecked Sendable {
        let raw: OpaquePointer
    }

    struct Readers: Sendable {
        var idle: [IdleReader] = []
        /// Read transactions that are lent just now.
        var open = 0
    }

    /// Thread safe: liblmdb locks what it must.
    nonisolated(unsafe) let raw: OpaquePointer
    private let tables: [Table]
    let readers = Mutex(Readers())
    private let closings = Mutex<[@Sendable () -> Void]>([])

    /// Opens the environment in `directory`, which must exist, and creates the tables that are missing.
    ///
    /// - Parameter prepare: Runs in the transaction that creates the tables. When it throws, nothing was changed.
    package init<E: LMDBFailure>(
        directory: String, tables names: [String], mapBytes: Int = mapBytesDefault, durability: Durability = .full,
        prepare: (borrowing WriteTransaction, [Table]) throws(E) -> Void
    ) throws(E) {
        do {
            try Self.createFile(in: directory)
            raw = try Self.open(directory, tableCount: names.count, mapBytes: mapBytes, durability: durability)
        } catch { throw E(error) }
        do throws(E) {
            tables = try Self.openTables(names, in: raw, prepare: prepare)
        } catch {
            mdb_env_close(raw)
            throw error
        }
    }

    package convenience init(
        directory: String, tables: [String], mapBytes: Int = mapBytesDefault, durability: Durability = .full
    ) throws(LMDBError) {
        try self.init(directory: directory, tables: tables, mapBytes: mapBytes, durability: durability) {
            (_: borrowing WriteTransaction, _: [Table]) throws(LMDBError) in
        }
    }

    deinit {
        // Every transaction keeps the environment alive, so only idle readers are left.
        readers.withLock { readers in
            for reader in readers.idle { mdb_txn_abort(reader.raw) }
            readers.idle = []
        }
        mdb_env_close(raw)
        for notify in closings.withLock({ $0 }) { notify() }
    }

    /// Calls `notify` once the file is closed, on the thread that let go of the environment last.
    package func whenClosed(_ notify: @escaping @Sendable () -> Void) {
        closings.withLock { $0.append(notify) }
    }

    /// A table by its name, one of those given to `init`.
    package func table(_ name: String) -> Table {
        guard let table = tables.first(where: { $0.name == name }) else {
            preconditionFailure("no table \(name) in this environment")
        }
        return table
    }

    /// Waits until everything committed is on disk. Only `.nothing` leaves something to wait for.
    package func sync() throws(LMDBError) {
        try LMDBError.check(mdb_env_sync(raw, 1), .sync)
    }

    // MARK: Opening

    private static func open(
        _ directory: String, tableCount: Int, mapBytes: Int, durability: Durability
    ) throws(LMDBError) -> OpaquePointer {
        var created: OpaquePointer?
        try LMDBError.check(mdb_env_create(&created), .open)
        guard let raw = created else { throw LMDBError(code: MDB_PANIC, operation: .open) }
        do throws(LMDBError) {
            try LMDBError.check(mdb_env_set_mapsize(raw, mapBytes), .open)
            try LMDBError.check(mdb_env_set_maxreaders(raw, UInt32(readersMax)), .open)
            try LMDBError.check(mdb_env_set_maxdbs(raw, UInt32(tableCount)), .open)
            // NOTLS: a read transaction belongs to a value, not to a thread. NORDAHEAD: random reads of a file above
            // memory must not drag their neighbours in. Never NOLOCK (writers would not see readers) and never
            // WRITEMAP (a full disk becomes SIGBUS, a stray pointer becomes corruption).
            var flags = MDB_NOTLS | MDB_NORDAHEAD
            if durability == .nothing { flags |= MDB_NOSYNC }
            try LMDBError.check(mdb_env_open(raw, directory, UInt32(flags), 0o600), .open)
            // Slots of processes that died would hold their pages back for ever.
            var cleared: Int32 = 0
            try LMDBError.check(mdb_reader_check(raw, &cleared), .readerCheck)
            if durability == .full { try settle(raw) }
        } catch {
            mdb_env_close(raw)
            throw error
        }
        return raw
    }

    private static func openTables<E: LMDBFailure>(
        _ names: [String], in raw: OpaquePointer, prepare: (borrowing WriteTransaction, [Table]) throws(E) -> Void
    ) throws(E) -> [Table] {
        let txn = try E.converting { () throws(LMDBError) in try WriteTransaction(environment: raw, owner: nil) }
        var tables: [Table] = []
        for name in names {
            var handle: MDB_dbi = 0
            let code = mdb_dbi_open(txn.raw, name, UInt32(MDB_CREATE), &handle)
            if code != MDB_SUCCESS { throw E(LMDBError(code: code, operation: .openTable)) }
            tables.append(Table(name: name, handle: handle))
        }
        try prepare(txn, tables)
        do { try txn.commit() } catch { throw E(error) }
        return tables
    }
}
