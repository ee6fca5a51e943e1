internal import CLMDB
internal import Glibc

/// A call of liblmdb that failed.
package struct LMDBError: Error, Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
        case create, open, openTable, readerCheck, beginRead, beginWrite, commit, get, put, delete, seek, clear, sync,
            statistics
    }

    /// What a caller can act on.
    package enum Kind: Hashable, Sendable {
        /// The map is used up: no write succeeds until room is made or the map enlarged.
        case mapFull
        /// One transaction changed more pages than liblmdb can list.
        case transactionFull
        /// More read transactions at once than there are slots.
        case readersFull
        /// A page is not what it should be. Rebuild from the log or from another member.
        case corrupted
        /// An earlier failure (a meta page that could not be written) made the environment unusable. Open it again.
        case panicked
        /// The file is not LMDB's, or of another version or architecture.
        case foreignFile
        /// An empty key, or one above 511 bytes.
        case badValueSize
        /// The system call that failed; ENOSPC and EDQUOT are the disk's fullness.
        case io(errno: Int32)
        case other
    }

    package var code: Int32
    package var operation: Operation

    package init(code: Int32, operation: Operation) {
        self.code = code
        self.operation = operation
    }

    package var kind: Kind {
        switch code {
        case MDB_MAP_FULL: .mapFull
        case MDB_TXN_FULL: .transactionFull
        case MDB_READERS_FULL: .readersFull
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND: .corrupted
        case MDB_PANIC: .panicked
        case MDB_INVALID, MDB_VERSION_MISMATCH, MDB_INCOMPATIBLE: .foreignFile
        case MDB_BAD_VALSIZE: .badValueSize
        case 1...: .io(errno: code)
        default: .other
        }
    }

    /// Throws what a return code other than success means.
    static func check(_ code: Int32, _ operation: Operation) throws(LMDBError) {
        if code != MDB_SUCCESS { throw LMDBError(code: code, operation: operation) }
    }
}

extension LMDBError: CustomStringConvertible {
    package var description: String {
        let text = "lmdb \(operation.rawValue): \(String(cString: mdb_strerror(code))) (\(code))"
        // liblmdb reports a write that the disk took in part, which is what a disk that fills up does, as EIO.
        return operation == .commit && code == EIO ? text + "; the disk is full, or fails" : text
    }
}

/// An error type that a failure of liblmdb can become, so that a closure given to `Environment.read` throws one type.
package protocol LMDBFailure: Error {
    init(_ error: LMDBError)
}

extension LMDBError: LMDBFailure {
    package init(_ error: LMDBError) { self = error }
}

extension LMDBFailure {
    /// Runs `body` and throws its failure as this type.
    package static func converting<R: ~Copyable>(_ body: () throws(LMDBError) -> R) throws(Self) -> R {
        do { return try body() } catch { throw Self(error) }
    }
}
