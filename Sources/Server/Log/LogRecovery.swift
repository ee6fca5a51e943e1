internal import StrakeRaft

/// Reads a log directory when it is opened.
struct LogRecovery {
    /// What is there, verified, repaired and synced.
    struct Result {
        var state: LogState
        var segments: [Segment]
        /// End of the last record in the last segment, and its checksum.
        var position: Int
        var checksum: UInt32
        var repair: TailRepair?
    }

    private struct Found {
        var sequence: UInt64
        var firstIndex: LogIndex
        var path: String
    }

    let disk: any Disk
    let directory: String
    let identity: MemberIdentity

    /// Returns nil if there is no log. Removes segments that no longer count.
    func run(names: [String]) throws(LogError) -> Result? {
        let found = names.compactMap { name in
            SegmentName.parseSegment(name).map {
                Found(sequence: $0.sequence, firstIndex: $0.firstIndex, path: directory + "/" + name)
            }
        }.sorted { $0.sequence < $1.sequence }
        guard !found.isEmpty else { return nil }
        let scanners = try openSegments(found)
        let result = try read(scanners)
        do {
            try disk.syncDirectory(directory)
            // Oldest first, so that what is left never has a gap.
            for leftover in found.dropLast(scanners.count) { try disk.remove(leftover.path) }
        } catch { throw .disk(error) }
        return result
    }

    /// Goes back from the last segment to where the log starts: at a reset, or where a number is missing.
    private func openSegments(_ found: [Found]) throws(LogError) -> [SegmentScanner] {
        var scanners: [SegmentScanner] = []
        var first = found.count
        repeat {
            first -= 1
            let scanner = try openSegment(found[first])
            scanners.append(scanner)
            if scanner.header.isReset { break }
        } while first > 0 && found[first - 1].sequence + 1 == found[first].sequence
        return scanners.reversed()
    }

    private func openSegment(_ found: Found) throws(LogError) -> SegmentScanner {
        let file: any DiskFile
        do { file = try disk.open(found.path, .existing) } catch { throw .disk(error) }
        let scanner = try SegmentScanner(try FileWindow(file, path: found.path))
        let header = scanner.header
        guard header.identity == identity else {
            throw .foreignLog(path: found.path, expected: identity, found: header.identity)
        }
        guard header.sequence == found.sequence, header.firstIndex == found.firstIndex else {
            let problem = LogCorruption.Problem.content("the segment record names another file")
            throw .corrupt(LogCorruption(path: found.path, offset: 0, problem: problem))
        }
        return scanner
    }

    private func read(_ scanners: [SegmentScanner]) throws(LogError) -> Result {
        var state = LogState(start: scanners[0].header.start)
        var checksum: UInt32?
        for scanner in scanners.dropLast() {
            try checkContinuity(of: scanner, checksum: checksum, last: state.index.last)
            checksum = try apply(scanner, through: nil, to: &state)
        }
        let last = scanners[scanners.count - 1]
        try checkContinuity(of: last, checksum: checksum, last: state.index.last)
        let tail = try SegmentTail(scanning: last)
        checksum = try apply(last, through: tail.end, to: &state)
        try checkStart(state, path: scanners[0].window.path)
        let repair = try tail.repair(last.window)
        let segments = scanners.map {
            Segment(
                file: $0.window.file, path: $0.window.path, sequence: $0.header.sequence, salt: $0.header.salt)
        }
        return Result(
            state: state, segments: segments, position: tail.end, checksum: checksum ?? 0, repair: repair)
    }

    private func checkContinuity(
        of scanner: SegmentScanner, checksum: UInt32?, last: EntryID
    ) throws(LogError) {
        // The first segment that is left has nothing to be compared with.
        guard let checksum else { return }
        let header = scanner.header
        guard header.previousChecksum == checksum else {
            let problem = LogCorruption.Problem.chain(expected: checksum, found: header.previousChecksum)
            throw .corrupt(LogCorruption(path: scanner.window.path, offset: 0, problem: problem))
        }
        guard header.start == last else {
            let problem = LogCorruption.Problem.content("the segment follows entry \(header.start), not \(last)")
            throw .corrupt(LogCorruption(path: scanner.window.path, offset: 0, problem: problem))
        }
    }

    /// Applies the records through byte `end`, or all of them, and returns the checksum of the last one.
    private func apply(
        _ scanner: SegmentScanner, through end: Int?, to state: inout LogState
    ) throws(LogError) -> UInt32 {
        var scanner = scanner
        while scanner.position < end ?? Int.max {
            let offset = scanner.position
            let step = try scanner.next()
            if case .end = step { return scanner.checksum }
            do throws(LogCorruption.Problem) {
                if case .damage(let problem) = step { throw problem }
                if case .record(let record) = step { try state.apply(record, sequence: scanner.header.sequence) }
            } catch {
                throw .corrupt(LogCorruption(path: scanner.window.path, offset: offset, problem: error))
            }
        }
        return scanner.checksum
    }

    /// A log that does not begin at the first entry needs a snapshot that does.
    private func checkStart(_ state: LogState, path: String) throws(LogError) {
        let start = state.index.start
        guard start != .zero else { return }
        guard let snapshot = state.snapshot?.last, start.index <= snapshot.index,
            start.index < snapshot.index || start.term == snapshot.term
        else { throw .missingSegments(path: path, start: start.index, snapshot: state.snapshot?.last.index) }
    }
}
