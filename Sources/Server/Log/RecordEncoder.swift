internal import StrakeChecksum
internal import StrakeRaft

/// Builds the bytes of one batch in a buffer that is used again for the next: no allocation per record.
struct RecordEncoder: ~Copyable {
    /// A buffer that a huge batch made is not kept.
    private static let bufferBytesKept = 4 << 20

    private var buffer: UnsafeMutableRawBufferPointer
    /// Bytes of the batch so far.
    private(set) var count = 0
    /// Checksum of the last record.
    private(set) var checksum: UInt32 = 0
    private var salt: UInt32 = 0
    private var synced = 0
    /// Records still to come in this batch; the last one gets the flag.
    private var remaining = 0
    private var recordStart = 0

    init() {
        buffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit { buffer.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.baseAddress, count: count) }

    /// Begins a batch.
    ///
    /// - Parameters:
    ///   - after: checksum of the record before.
    ///   - synced: bytes of the file that are known to be synced.
    mutating func begin(after checksum: UInt32, salt: UInt32, synced: Int, records: Int, byteCount: Int) {
        let excessive = buffer.count > Self.bufferBytesKept && byteCount <= Self.bufferBytesKept
        if buffer.count < byteCount || excessive {
            buffer.deallocate()
            buffer = .allocate(byteCount: excessive ? byteCount : max(byteCount, buffer.count * 2), alignment: 16)
        }
        count = 0
        self.checksum = checksum
        self.salt = salt
        self.synced = synced
        remaining = records
    }

    /// Begins a file: the preface and the segment record, with `records` more to come.
    mutating func beginSegment(_ header: SegmentHeader, records: Int, byteCount: Int) {
        begin(after: 0, salt: 0, synced: 0, records: records + 1, byteCount: byteCount)
        SegmentHeader.encodePreface(into: buffer)
        count = SegmentHeader.prefaceBytes
        checksum = bytes.integer(at: count - 4, as: UInt32.self)
        let payload = beginRecord(.segment, payloadBytes: SegmentHeader.payloadBytes)
        header.encode(into: buffer, at: payload)
        endRecord()
        salt = header.salt
    }

    mutating func add(_ entry: Entry) {
        let data = entry.data
        let payload = beginRecord(
            .entry, payloadBytes: RecordPayload.entryIDBytes + data.count, entryKind: entry.kind.rawValue)
        buffer.store(entry.id.term.rawValue, at: payload)
        buffer.store(entry.id.index.rawValue, at: payload + 8)
        data.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            (buffer.baseAddress! + payload + RecordPayload.entryIDBytes).copyMemory(from: base, byteCount: source.count)
        }
        endRecord()
    }

    mutating func add(_ state: HardState) {
        let payload = beginRecord(.hardState, payloadBytes: RecordPayload.hardStateBytes)
        buffer.store(state.term.rawValue, at: payload)
        buffer.store(state.vote?.rawValue ?? 0, at: payload + 8)
        buffer.store(state.committed.rawValue, at: payload + 16)
        endRecord()
    }

    /// - Parameter snapshot: as `RecordPayload.encode` gives it.
    mutating func add(snapshot: [UInt8]) {
        let payload = beginRecord(.snapshot, payloadBytes: snapshot.count)
        UnsafeMutableRawBufferPointer(rebasing: buffer[payload...]).copyBytes(from: snapshot)
        endRecord()
    }

    mutating func addCut(after last: EntryID) {
        let payload = beginRecord(.cut, payloadBytes: RecordPayload.entryIDBytes)
        buffer.store(last.term.rawValue, at: payload)
        buffer.store(last.index.rawValue, at: payload + 8)
        endRecord()
    }

    /// Returns where the payload goes.
    @inline(__always)
    private mutating func beginRecord(_ type: RecordType, payloadBytes: Int, entryKind: UInt8 = 0) -> Int {
        let header = RecordHeader(
            payloadBytes: payloadBytes, type: type, endsBatch: remaining == 1, entryKind: entryKind, synced: synced)
        precondition(remaining > 0 && count + header.size <= buffer.count, "a batch larger than announced")
        remaining -= 1
        recordStart = count
        count += header.size
        // The padding, at most 7 bytes before the checksum. What belongs there otherwise is written over it below.
        buffer.store(UInt64(0), at: count - 12)
        header.encode(into: buffer, at: recordStart, salt: salt)
        return recordStart + Record.headerBytes
    }

    @inline(__always)
    private mutating func endRecord() {
        var checksum = CRC32C(resuming: self.checksum)
        let end = count - Record.checksumBytes
        checksum.add(UnsafeRawBufferPointer(start: buffer.baseAddress! + recordStart, count: end - recordStart))
        self.checksum = checksum.value
        buffer.store(self.checksum, at: end)
    }
}
