internal import StrakeChecksum
internal import StrakeModel
internal import StrakeTables

/// A checksum of the live history up to a revision.
///
/// Stores to which the same commands were applied have the same hash at the same pair of revisions, whatever each has
/// still in memory and has physically compacted.
package struct KVHash: Hashable, Sendable {
    package var hash: UInt32
    package var compactRevision: Int64
    package var hashRevision: Int64

    package init(hash: UInt32, compactRevision: Int64, hashRevision: Int64) {
        self.hash = hash
        self.compactRevision = compactRevision
        self.hashRevision = hashRevision
    }
}

/// Adds events to the checksum in a form of its own: all that the events say, nothing of how they are stored.
struct HistoryHasher {
    private var crc = CRC32C()

    var value: UInt32 { crc.value }

    mutating func add(_ event: LentEvent) {
        let header = event.header
        let fields = [
            header.revision.main, Int64(header.revision.sub), header.isTombstone ? 1 : 0, header.createRevision,
            header.version, header.lease.rawValue, Int64(event.key.count), Int64(event.value.count),
        ]
        fields.map(\.littleEndian).withUnsafeBytes { crc.add($0) }
        crc.add(event.key)
        crc.add(event.value)
    }
}
