package import StrakeLMDB

/// What reading and writing the store's tables can fail with.
package enum TableError: LMDBFailure, Hashable, Sendable {
    case lmdb(LMDBError)
    /// A record is not what was written: repair from another member, or refuse to start. `key` is the row's LMDB key.
    case corruptRecord(table: String, key: [UInt8], reason: Corruption)
    /// The file holds something that is not this store's.
    case unsupportedFormat(found: [UInt8])
    /// Written by a newer version of this program.
    case newerFormat(found: UInt32, supported: UInt32)

    package enum Corruption: String, Error, Hashable, Sendable {
        case checksum
        /// Shorter than its fields.
        case truncated
        /// Its length is not the one that its fields say.
        case badLength
        /// A part of a long record is not there.
        case missingChunk
        case unknownFlags
        /// The row's key has a form that the table does not use.
        case badKey
        /// A long key's next part is not there.
        case danglingChild
        /// History has events of a key that `current` does not know, or only older ones.
        case missingKey
        /// A key is attached to a lease that is not there.
        case missingLease
    }

    package init(_ error: LMDBError) { self = .lmdb(error) }
}

extension TableError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .lmdb(let error): error.description
        case .corruptRecord(let table, let key, let reason):
            "the record of row \(Self.hexadecimal(key)) in table \(table) is damaged: \(reason.rawValue)"
        case .unsupportedFormat(let found):
            "the file is not a store of this program: its format is \(Self.hexadecimal(found))"
        case .newerFormat(let found, let supported):
            "the store has format \(found), which a newer version wrote; this one reads formats up to \(supported)"
        }
    }

    /// How messages show a key.
    package static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}

extension TableError {
    static func corrupt(_ table: Table, _ key: UnsafeRawBufferPointer, _ reason: Corruption) -> TableError {
        .corruptRecord(table: table.name, key: [UInt8](key), reason: reason)
    }
}
