internal import CLMDB
internal import Synchronization

extension Environment {
    /// Lends a read transaction: what was committed when it began, whatever is written meanwhile.
    ///
    /// Keep it short: pages freed while it is open cannot be used again.
    package func read<R: ~Copyable, E: LMDBFailure>(
        _ body: (borrowing ReadTransaction) throws(E) -> R
    ) throws(E) -> R {
        let txn = try E.converting { () throws(LMDBError) in try beginRead() }
        return try body(txn)
    }

    /// Lends the write transaction; commits when `body` returns, aborts when it throws. Waits for another writer.
    package func write<R: ~Copyable, E: LMDBFailure>(
        _ body: (borrowing WriteTransaction) throws(E) -> R
    ) throws(E) -> R {
        let txn = try E.converting { () throws(LMDBError) in try beginWrite() }
        let result = try body(txn)
        do { try txn.commit() } catch { throw E(error) }
        return result
    }

    package func beginRead() throws(LMDBError) -> ReadTransaction {
        if let idle = idleReaders.withLock({ readers in readers.popLast() }) {
            let code = mdb_txn_renew(idle.raw)
            guard code == MDB_SUCCESS else {
                mdb_txn_abort(idle.raw)
                throw LMDBError(code: code, operation: .beginRead)
            }
            return ReadTransaction(raw: idle.raw, environment: self)
        }
        var begun: OpaquePointer?
        try LMDBError.check(mdb_txn_begin(raw, nil, UInt32(MDB_RDONLY), &begun), .beginRead)
        guard let begun else { throw LMDBError(code: MDB_PANIC, operation: .beginRead) }
        return ReadTransaction(raw: begun, environment: self)
    }

    package func beginWrite() throws(LMDBError) -> WriteTransaction {
        try WriteTransaction(environment: raw, owner: Unmanaged.passRetained(self))
    }

    /// Ends a read transaction: its pages are free for reuse at once, its slot waits for the next reader.
    func giveBack(_ reader: OpaquePointer) {
        mdb_txn_reset(reader)
        let idle = IdleReader(raw: reader)
        let kept = idleReaders.withLock { readers in
            guard readers.count < Self.idleReadersMax else { return false }
            readers.append(idle)
            return true
        }
        if !kept { mdb_txn_abort(reader) }
    }
}
