package import StrakeModel

/// A put that named a lease: the lease, and the put's revision.
///
/// A row is written for each such put and never updated. It counts only while the key's newest event is that very put.
package struct LeaseRow: Hashable, Sendable {
    package var lease: LeaseID
    package var revision: Revision

    static var byteCount: Int { 20 }

    package init(lease: LeaseID, revision: Revision) {
        self.lease = lease
        self.revision = revision
    }

    /// Nil for bytes of another form.
    init?(parsing key: UnsafeRawBufferPointer) {
        guard key.count == Self.byteCount, let main = Int64(exactly: key.bigEndian(at: 8, as: UInt64.self)),
            let sub = Int32(exactly: key.bigEndian(at: 16, as: UInt32.self))
        else { return nil }
        self.init(lease: Self.lease(of: key), revision: Revision(main: main, sub: sub))
    }

    /// Lends its key, big-endian: rows sort by lease, then by revision.
    package func withKey<R: ~Copyable, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var bytes: (UInt64, UInt64, UInt32) = (
            UInt64(bitPattern: lease.rawValue).bigEndian, UInt64(bitPattern: revision.main).bigEndian,
            UInt32(bitPattern: revision.sub).bigEndian
        )
        return try withUnsafeMutableBytes(of: &bytes) { memory throws(E) in
            try body(UnsafeRawBufferPointer(rebasing: memory[..<Self.byteCount]))
        }
    }

    /// The lease that a key belongs to.
    package static func lease(of key: UnsafeRawBufferPointer) -> LeaseID {
        LeaseID(rawValue: Int64(bitPattern: key.bigEndian(at: 0, as: UInt64.self)))
    }

    /// Stands for the row: the digest of a set of rows is the sum of theirs.
    package var digest: UInt64 {
        var digest = Digest()
        digest.add(lease.rawValue, revision.main)
        digest.add(Int64(revision.sub), 0)
        return digest.value
    }
}

extension LeaseRow: Comparable {
    /// As their keys sort: negative leases last.
    package static func < (left: LeaseRow, right: LeaseRow) -> Bool {
        if left.lease != right.lease {
            return UInt64(bitPattern: left.lease.rawValue) < UInt64(bitPattern: right.lease.rawValue)
        }
        return left.revision < right.revision
    }
}
