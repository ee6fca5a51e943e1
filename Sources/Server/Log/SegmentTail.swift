/// What a log cut away when it was opened: a batch that a crash had left incomplete and that was never acknowledged.
package struct TailRepair: Equatable, Sendable {
    package var path: String
    package var offset: Int
    package var bytes: Int
}

/// Where the last segment ends.
struct SegmentTail {
    /// End of the last batch that is whole.
    let end: Int
    /// Everything before this byte is known to be synced.
    let synced: Int
    /// End of what a torn batch left behind; `end` if nothing did.
    let tornEnd: Int

    init(scanning scanner: SegmentScanner) throws(LogError) {
        var scanner = scanner
        var end: Int?
        var synced = 0
        var pendingSynced = 0
        var problem: LogCorruption.Problem?
        scanning: while true {
            switch try scanner.next() {
            case .record(let record):
                pendingSynced = max(pendingSynced, record.header.synced)
                guard record.header.endsBatch else { continue }
                end = scanner.position
                synced = pendingSynced
            case .end: break scanning
            case .damage(let damage):
                problem = damage
                break scanning
            }
        }
        let stop = scanner.position
        let inspection = TailInspection(window: scanner.window, salt: scanner.header.salt)
        switch try inspection.verdict(at: stop, problem: problem) {
        case .clean: tornEnd = stop
        case .torn(let last): tornEnd = last
        }
        guard let end else {
            // The first batch was synced before the file got its name.
            throw .corrupt(
                LogCorruption(path: scanner.window.path, offset: stop, problem: problem ?? .content("no hard state")))
        }
        self.end = end
        self.synced = synced
    }

    /// Zeros what a torn batch left, and writes again what is not known to be synced: after a failed sync it may be in
    /// memory only, in pages that the kernel takes for clean. Afterwards all of it is durable.
    func repair(_ window: FileWindow) throws(LogError) -> TailRepair? {
        try window.forEachPiece(of: synced..<end) { (offset, bytes) throws(LogError) in
            do throws(DiskError) { try window.file.write(bytes, at: offset) } catch { throw .disk(error) }
        }
        do throws(DiskError) {
            if tornEnd > end { try window.file.writeZeros(end..<tornEnd) }
            try window.file.sync()
        } catch { throw .disk(error) }
        return tornEnd > end ? TailRepair(path: window.path, offset: end, bytes: tornEnd - end) : nil
    }
}
