internal import StrakeRaft
internal import StrakeRandom
internal import Synchronization

/// Makes files that are ready to be segments, and segments out of them.
final class SegmentMaker: Sendable {
    /// A segment that was begun: its first records are synced, and so is its name.
    struct BegunSegment {
        var segment: Segment
        var position: Int
        var checksum: UInt32
    }

    /// The zeros are synced in slices of this size, so that the writer's sync does not wait for all of them.
    private static let zerosBytes = 4 << 20

    private let disk: any Disk
    private let directory: String
    private let identity: MemberIdentity
    private let segmentBytes: Int
    private let saltSeed: UInt64
    private let nextSpare: Atomic<UInt64>

    init(
        disk: any Disk, directory: String, identity: MemberIdentity, options: DurableLog.Options, nextSpare: UInt64
    ) {
        self.disk = disk
        self.directory = directory
        self.identity = identity
        segmentBytes = options.segmentBytes
        saltSeed = options.saltSeed
        self.nextSpare = Atomic(nextSpare)
    }

    func spareName() -> String {
        directory + "/" + SegmentName.spare(nextSpare.add(1, ordering: .relaxed).oldValue)
    }

    func makeSpare() throws(DiskError) -> SpareFile {
        let path = spareName()
        let spare = SpareFile(file: try disk.open(path, .new), path: path)
        return try fill(spare)
    }

    /// Makes a spare of a file that was a segment, or was to be one.
    func reuse(_ path: String) throws(DiskError) -> SpareFile {
        let spare = SpareFile(file: try disk.open(path, .existing), path: path)
        if try spare.file.size() > segmentBytes { try spare.file.truncate(to: segmentBytes) }
        return try fill(spare)
    }

    /// Without zeros, bytes of an earlier life behind the end could not be told from damage.
    private func fill(_ spare: SpareFile) throws(DiskError) -> SpareFile {
        do {
            for offset in stride(from: 0, to: segmentBytes, by: Self.zerosBytes) {
                try spare.file.writeZeros(offset..<min(offset + Self.zerosBytes, segmentBytes))
                try spare.file.sync()
            }
            return spare
        } catch {
            // On a full disk this gives the space back. If it fails, the next start removes the file.
            try? disk.remove(spare.path)
            throw error
        }
    }

    /// Writes the first records, which repeat what the segments before may take with them when they go, and gives the
    /// file its name. The name comes last, so a file that has it begins with whole records.
    func begin(
        sequence: UInt64, start: EntryID, previousChecksum: UInt32, isReset: Bool, hardState: HardState,
        snapshot: SnapshotMetadata?, spare: SpareFile?, encoder: inout RecordEncoder
    ) throws(LogError) -> BegunSegment {
        let header = SegmentHeader(
            segmentBytes: segmentBytes, sequence: sequence, start: start, identity: identity,
            previousChecksum: previousChecksum, salt: salt(sequence), isReset: isReset)
        let mark = snapshot.map(RecordPayload.encode)
        let byteCount =
            SegmentHeader.prefaceBytes + Record.size(payloadBytes: SegmentHeader.payloadBytes)
            + Record.size(payloadBytes: RecordPayload.hardStateBytes)
            + (mark.map { Record.size(payloadBytes: $0.count) } ?? 0)
        encoder.beginSegment(header, records: mark == nil ? 1 : 2, byteCount: byteCount)
        if let mark { encoder.add(snapshot: mark) }
        encoder.add(hardState)
        let path = directory + "/" + SegmentName.segment(sequence: sequence, firstIndex: header.firstIndex)
        do throws(DiskError) {
            let spare = if let spare { spare } else { try makeSpare() }
            try spare.file.write(encoder.bytes, at: 0)
            try spare.file.sync()
            try disk.rename(spare.path, to: path)
            try disk.syncDirectory(directory)
            let segment = Segment(file: spare.file, path: path, sequence: sequence, salt: header.salt)
            return BegunSegment(segment: segment, position: encoder.count, checksum: encoder.checksum)
        } catch { throw .disk(error) }
    }

    private func salt(_ sequence: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: SplitMix64.number(sequence, after: saltSeed))
    }
}
