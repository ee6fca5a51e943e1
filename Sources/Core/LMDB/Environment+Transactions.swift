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
    ///
    /// - Parameter willCommit: Called before the commit, which writes the changed pages and syncs them.
    package func write<R: ~Copyable, E: LMDBFailure>(
        _ body: (borrowing WriteTransaction) throws(E) -> R, willCommit: () -> Void = {}
    ) throws(E) -> R {
        let txn = try E.converting { () throws(LMDBError) in try beginWrite() }
        let result = try body(txn)
        willCommit()
        do { try txn.commit() } catch { throw E(error) }
        return result
    }

    package func beginRead() throws(LMDBError) -> ReadTransaction {
        let idle = readers.withLock { readers in
            readers.open += 1
            return readers.idle.popLast()
        }
        do throws(LMDBError) {
            return ReadTransaction(raw: try begin(idle), environment: self)
        } catch {
            readers.withLock { $0.open -= 1 }
            throw error
        }
    }

    /// Read transactions that are lent just now.
    package var openReaders: Int { readers.withLock { $0.open } }

    private func begin(_ idle: IdleReader?) throws(LMDBError) -> OpaquePointer {
        if let idle {
            let code = mdb_txn_renew(idle.raw)
            guard code == MDB_SUCCESS else {
                mdb_txn_abort(idle.raw)
                throw LMDBError(code: code, operation: .beginRead)
            }
            return idle.raw
        }
        var begun: OpaquePointer?
        try LMDBError.check(mdb_txn_begin(raw, nil, UInt32(MDB_RDONLY), &begun), .beginRead)
        guard let begun else { throw LMDBError(code: MDB_PANIC, operation: .beginRead) }
        return begun
    }

    package func beginWrite() throws(LMDBError) -> WriteTransaction {
        try WriteTransaction(environment: raw, owner: Unmanaged.passRetained(self))
    }

    /// Ends a read transaction: its pages are free for reuse at once, its slot waits for the next reader.
    func giveBack(_ reader: OpaquePointer) {
        mdb_txn_reset(reader)
        let idle = IdleReader(raw: reader)
        let kept = readers.withLock { readers in
            readers.open -= 1
            guard readers.idle.count < Self.idleReadersMax else { return false }
            readers.idle.append(idle)
            return true
        }
        if !kept { mdb_txn_abort(reader) }
    }
}
