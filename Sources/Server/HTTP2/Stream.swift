/// One stream's state. Plain data in a recycled slot: its queues are freed by `StreamTable`.
struct Stream {
    /// What follows the queued bytes.
    enum End: UInt8 {
        case open
        /// END_STREAM on the last DATA frame.
        case endOfBody
        /// HEADERS with grpc-status 0.
        case okTrailers
        /// HEADERS whose block is the last `trailerBytes` of the queue.
        case trailers
    }

    /// 0: the slot is free.
    var number: UInt32 = 0
    var nextFree: Int32 = -1

    // What was received.
    var isGRPC = false
    var contentType = CallContentType.plain
    var remoteEnded = false
    /// Client: the response's final HEADERS came.
    var hasResponse = false
    /// Bytes of a message's five-byte prefix that came, and the bytes.
    var prefixCount: UInt8 = 0
    var prefix: UInt64 = 0
    var messageLength = 0
    /// Client: a longer message is told in parts, as it comes.
    var partsAbove = Int.max
    /// The message in hand is such a one; `messageLength` is what has not come of it.
    var isInParts = false
    /// The beginning of a message whose end has not come.
    var assembly = ByteQueue()
    /// content-length; -1 if there was none.
    var contentLength: Int64 = -1
    var bodyBytes: Int64 = 0

    // Flow control. The send window may be negative (RFC 9113 §6.9.2).
    var sendWindow = 0
    var receiveWindow = 0
    /// Received since the last WINDOW_UPDATE.
    var receivedBytes = 0
    /// The user takes nothing for now: no WINDOW_UPDATE, so that the peer stops when the window is used up.
    var holdsWindow = false

    // What is sent.
    var headersSent = false
    var end = End.open
    /// END_STREAM is in the output.
    var localEnded = false
    var wantsWrite = false
    /// In the ready list; survives the stream, as the list is cleared lazily.
    var isListed = false
    var nextReady: Int32 = -1
    /// Payload accepted and not in the output, then `trailerBytes` of trailers.
    var queue = ByteQueue()
    var trailerBytes = 0
    /// What a long message still owes.
    var longRemaining: Int64 = 0

    var queuedBytes: Int { queue.count - trailerBytes }
    /// Something may go out as soon as a window opens.
    var isWaiting: Bool { !queue.isEmpty || wantsWrite || (end != .open && !localEnded) }
}
