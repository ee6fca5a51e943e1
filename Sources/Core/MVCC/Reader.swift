internal import StrakeLMDB
internal import StrakeTables

/// The way into the store for any thread: what is published, and nothing newer.
package struct Reader: Sendable {
    let publication: Publication

    /// Newest published main revision.
    package var revision: Int64 { publication.current.revision }
    /// As published; zero: never compacted.
    package var compactRevision: Int64 { publication.current.compactRevision }
    /// Keys that live at the newest published revision.
    package var keyCount: Int { publication.current.keyCount }

    /// Calls `notify` once nobody reads the store's file any more and it is closed, on any thread. LMDB does not bear a file
    /// that is open twice in one process.
    package func whenFileCloses(_ notify: @escaping @Sendable () -> Void) {
        publication.current.tables.environment.whenClosed(notify)
    }

    /// Lends a view of what is published now.
    ///
    /// Keep it short: it may pin pages of the file, and compaction waits for it. Long work takes several views, and a
    /// `hold` when it must go on at one revision.
    package func withView<R: ~Copyable, E: Error>(_ body: (inout ReadView) throws(E) -> R) throws(E) -> R {
        let (snapshot, slot) = publication.open()
        defer { publication.close(slot) }
        var view = ReadView(snapshot, publication)
        return try body(&view)
    }

    /// Keeps what reads at `revision` need from physical removal; zero or less is the newest revision.
    package func hold(at revision: Int64) throws(MVCCError) -> RangeHold {
        try publication.hold(at: revision)
    }

    /// What the quota counts: the file's pages in use and the changes still in memory. Walks the free list.
    package func bytesInUse() throws(MVCCError) -> Int {
        do {
            let snapshot = publication.current
            return try snapshot.tables.environment.statistics().bytesInUse + snapshot.layers.bytes
        } catch { throw .storage(.lmdb(error)) }
    }

    /// Read transactions that are lent just now.
    package var openReads: Int { publication.current.tables.environment.openReaders }

    /// Size of the file, free pages included, and what is still in memory.
    package func bytesTotal() throws(MVCCError) -> Int {
        do {
            let snapshot = publication.current
            return try snapshot.tables.environment.statistics().fileBytes + snapshot.layers.bytes
        } catch { throw .storage(.lmdb(error)) }
    }
}
