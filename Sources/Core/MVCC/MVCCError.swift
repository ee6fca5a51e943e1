package import StrakeModel
package import StrakeTables

/// What a call to the store can fail with.
package enum MVCCError: Error, Hashable, Sendable {
    /// The request is refused and nothing has changed; the client is told.
    case refused(StoreError)
    /// Damage or I/O. On the apply role the store is in no defined state afterwards: stop, and replay the log.
    case storage(TableError)

    /// Runs what can only fail in the tables.
    static func storage<R: ~Copyable>(_ body: () throws(TableError) -> R) throws(MVCCError) -> R {
        do { return try body() } catch { throw .storage(error) }
    }
}

extension MVCCError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let reason): "refused: \(reason)"
        case .storage(let error): error.description
        }
    }
}

extension TableError {
    /// An event that others point at is not there, and compaction cannot have taken it.
    static func missingEvent(_ revision: Revision) -> TableError {
        var key = [UInt8]()
        withUnsafeBytes(of: revision.main.bigEndian) { key += $0 }
        withUnsafeBytes(of: revision.sub.bigEndian) { key += $0 }
        return .corruptRecord(table: "history", key: key, reason: .missingChunk)
    }
}
