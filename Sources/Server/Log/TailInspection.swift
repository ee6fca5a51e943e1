/// Tells a batch that a power cut tore from damage, at the end of the last segment.
///
/// What may be torn is what was written after the last sync. Such bytes were zeros before, and a disk writes a sector
/// whole or not at all, so there each sector holds what was written or zeros. Hence it is damage
/// - if a later record says that this place had been synced when it was written,
/// - or if no sector of the bad record is missing: then the write was not torn.
struct TailInspection {
    enum Verdict: Equatable {
        /// Nothing was written here.
        case clean
        /// Never acknowledged. The bytes up to `end` are to be zeroed.
        case torn(end: Int)
    }

    /// The smallest unit that disks write whole.
    static let sectorBytes = 512

    let window: FileWindow
    let salt: UInt32

    /// - Parameters:
    ///   - offset: where the first record is that cannot be read.
    ///   - problem: what is wrong with it; nil if none begins there.
    func verdict(at offset: Int, problem: LogCorruption.Problem?) throws(LogError) -> Verdict {
        guard let end = try endOfData(from: offset) else { return .clean }
        if let proof = try laterRecord(than: offset, end: end) {
            throw corrupt(offset, problem ?? .unexpectedBytes, provenBy: proof)
        }
        guard try hasMissingSector(at: offset) else { throw corrupt(offset, problem ?? .unexpectedBytes) }
        return .torn(end: end)
    }

    /// The end of the last byte that is not zero.
    private func endOfData(from offset: Int) throws(LogError) -> Int? {
        var end: Int?
        try window.forEachPiece(of: offset..<max(window.size, offset)) { (base, bytes) throws(LogError) in
            if !bytes.isZero, let last = bytes.lastIndex(where: { $0 != 0 }) { end = base + last + 1 }
        }
        return end
    }

    /// A whole record that was written when everything past `offset` was synced.
    private func laterRecord(than offset: Int, end: Int) throws(LogError) -> Int? {
        var candidates: [Int] = []
        var base = offset + 8
        while base < end {
            let count = min(FileWindow.pieceBytes, end - base + 8)
            let bytes = try window.bytes(at: base, count: count + Record.headerBytes)
            for position in stride(from: 0, to: count, by: 8) {
                let start = bytes.slice(position..<(position + Record.headerBytes))
                guard start.integer(at: 0, as: UInt64.self) != 0,
                    let header = try? RecordHeader(decoding: start, salt: salt), header.synced > offset
                else { continue }
                candidates.append(base + position)
            }
            base += count
        }
        for candidate in candidates {
            if case .record = try SegmentScanner.readRecord(window, at: candidate, salt: salt) { return candidate }
        }
        return nil
    }

    /// Whether some sector of the record at `offset` is as it was before the record was written.
    private func hasMissingSector(at offset: Int) throws(LogError) -> Bool {
        let headerEnd = offset + Record.headerBytes
        if try isMissing(anySectorOf: offset..<headerEnd) { return true }
        // The header is all there, so it says how far the record goes.
        let start = try window.bytes(at: offset, count: Record.headerBytes)
        guard let header = try? RecordHeader(decoding: start, salt: salt) else { return false }
        return try isMissing(anySectorOf: offset..<(offset + header.size))
    }

    private func isMissing(anySectorOf range: Range<Int>) throws(LogError) -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let end = (offset / Self.sectorBytes + 1) * Self.sectorBytes
            if try window.bytes(at: offset, count: end - offset).isZero { return true }
            offset = end
        }
        return false
    }

    private func corrupt(_ offset: Int, _ problem: LogCorruption.Problem, provenBy proof: Int? = nil) -> LogError {
        .corrupt(LogCorruption(path: window.path, offset: offset, problem: problem, provenBy: proof))
    }
}
