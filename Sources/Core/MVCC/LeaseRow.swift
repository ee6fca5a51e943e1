internal import StrakeModel

/// A place in the order of lease rows: by lease, then by the revision of the put that attached a key.
///
/// A row is written for each put with a lease and never updated. It counts only while the key's newest event is that
/// very put.
struct LeaseRow {
    var lease: LeaseID
    var revision: Revision

    private static var byteCount: Int { 20 }

    /// Lends the key of a layer's lease tree: big-endian, so that it sorts as the row does.
    func withKey<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var bytes: (UInt64, UInt64, UInt32) = (
            UInt64(bitPattern: lease.rawValue).bigEndian, UInt64(bitPattern: revision.main).bigEndian,
            UInt32(bitPattern: revision.sub).bigEndian
        )
        return try withUnsafeMutableBytes(of: &bytes) { memory throws(E) in
            try body(UnsafeRawBufferPointer(rebasing: memory[..<Self.byteCount]))
        }
    }

    /// The lease that a tree's key belongs to.
    static func lease(of key: UnsafeRawBufferPointer) -> LeaseID {
        LeaseID(rawValue: Int64(bigEndian: key.loadUnaligned(as: Int64.self)))
    }
}
