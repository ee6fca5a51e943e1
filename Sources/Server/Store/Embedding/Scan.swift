internal import StrakeMVCC
internal import StrakeModel

extension EmbeddedStore {
    /// The keys of a range of any size, at one revision: one pass, by one task at a time.
    ///
    /// The next piece (`Limits.scanPieceBytes`) is read when the last one was used up. Until it ends or is dropped, the
    /// scan keeps the history that it needs from being removed, so it sees its revision whatever is compacted meanwhile; one
    /// that is not read from for `Limits.scanStallSeconds` gives that up and fails.
    public struct Scan: AsyncSequence, Sendable {
        public typealias Element = KeyValue
        public typealias Failure = EmbeddedStoreError

        let cursor: ScanCursor

        /// Keys that the scan returns.
        public var returned: Int { cursor.returned }
        /// Keys in the whole range, whatever limit and filters leave out.
        public var count: Int64 { cursor.count }
        /// Main revision that is read at.
        public var revision: Int64 { cursor.revision }

        public func makeAsyncIterator() -> Iterator { Iterator(cursor: cursor) }

        public struct Iterator: AsyncIteratorProtocol {
            public typealias Element = KeyValue
            public typealias Failure = EmbeddedStoreError

            let cursor: ScanCursor
            private var piece: [KeyValue] = []
            private var position = 0

            init(cursor: ScanCursor) {
                self.cursor = cursor
            }

            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(EmbeddedStoreError) -> KeyValue? {
                if position == piece.count {
                    piece = []
                    piece = try await cursor.next()
                    position = 0
                }
                guard position < piece.count else { return nil }
                defer { position += 1 }
                return piece[position]
            }

            public mutating func next() async throws(EmbeddedStoreError) -> KeyValue? {
                try await next(isolation: nil)
            }
        }
    }

    /// Reads a range of any size in bounded memory.
    ///
    /// The whole range is counted first, without its values. Another order than that of keys takes some 50 bytes of memory
    /// a key. The request's `isSerializable` asks for `local` consistency.
    ///
    /// - Throws: As `get`.
    public func scan(_ request: RangeRequest) async throws(EmbeddedStoreError) -> Scan {
        try refusing { () throws(StoreError) in try request.validate() }
        try await awaitReadable(request.isSerializable ? .local : .linearizable)
        let (reader, readers, pieceBytes) = (try store.reader, readers, limits.scanPieceBytes)
        let cursor = try await readers.read { () throws(EmbeddedStoreError) in
            do throws(MVCCError) {
                let plan = try reader.withView { view throws(MVCCError) in try view.plan(request) { _ in 0 } }
                return ScanCursor(plan, reader: reader, readers: readers, pieceBytes: pieceBytes)
            } catch {
                throw EmbeddedStoreError(error)
            }
        }
        guard scans.add(cursor) else { throw .refused(.stopped) }
        return Scan(cursor: cursor)
    }

    /// Reads every key of a range.
    public func scan(_ range: KeyRange) async throws(EmbeddedStoreError) -> Scan {
        try await scan(RangeRequest(range: range))
    }
}
