extension EmbeddedStore {
    /// What one request, one answer and one slow reader may take.
    public struct Limits: Hashable, Sendable {
        /// A change has to reach other members in one message.
        public static let requestBytesCeiling = 63 << 20

        /// Bytes of a change as it stands in the log; above it is refused (`requestTooLarge`). etcd's default.
        public var requestBytesMax = 1_536 << 10
        /// Comparisons, or operations in a branch, of a transaction; above it is refused (`tooManyOperations`).
        public var txnOperationsMax = 128
        /// Keys and values of a transaction's answer that only reads; above it fails (`answerTooLarge`).
        public var txnAnswerBytesMax = 64 << 20
        /// Keys and values of a page; what is beyond is on the next page.
        public var pageBytes = 4 << 20
        /// Keys and values that a scan reads ahead.
        public var scanPieceBytes = 256 << 10
        /// A scan keeps the history it needs from being removed. One that nobody reads from for so long gives it up and
        /// fails (`scanStalled`).
        public var scanStallSeconds = 60
        /// Events that wait for the reader of a watch. Beyond this, and one batch of changes, none is kept for it: they are
        /// read from history when the reader has caught up.
        public var watchBufferBytes = 1 << 20
        /// A watch that asks for progress and has had no events for so long is told how far it is. etcd's default.
        public var watchProgressSeconds = 600
        /// Threads that read ranges and history; 0: one for each core, from 2 to 8.
        public var readerThreads = 0

        public init() {}

        /// - Throws: A sentence that names the field.
        func check() throws(StoreStartError) {
            func refuse(_ field: String, _ rule: String) -> StoreStartError {
                StoreStartError("EmbeddedStore.Limits.\(field) must be \(rule)")
            }
            guard (1...Self.requestBytesCeiling).contains(requestBytesMax) else {
                throw refuse("requestBytesMax", "from 1 to \(Self.requestBytesCeiling), not \(requestBytesMax)")
            }
            guard (0...256).contains(readerThreads) else {
                throw refuse("readerThreads", "from 0 to 256, not \(readerThreads)")
            }
            let positive = [
                ("txnOperationsMax", txnOperationsMax), ("txnAnswerBytesMax", txnAnswerBytesMax),
                ("pageBytes", pageBytes), ("scanPieceBytes", scanPieceBytes), ("scanStallSeconds", scanStallSeconds),
                ("watchBufferBytes", watchBufferBytes), ("watchProgressSeconds", watchProgressSeconds),
            ]
            for (field, value) in positive where value < 1 { throw refuse(field, "above 0, not \(value)") }
        }
    }
}
