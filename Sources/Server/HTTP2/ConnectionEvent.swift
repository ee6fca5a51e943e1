/// Why a stream went away by other hands than its user's.
package enum CloseReason: Equatable, Sendable {
    /// The peer sent RST_STREAM.
    case reset(ErrorCode)
    /// The engine answered with this status: a message too long, cut off or compressed.
    case refused(GRPCStatus)
    /// The engine sent RST_STREAM: the peer broke the protocol on this stream.
    case error(ErrorCode)
    /// A GOAWAY said that the peer never looked at it: it is safe to try again elsewhere.
    case unprocessed
}

package enum ConnectionEvent: Equatable, Sendable {
    /// A connection error, found here. The GOAWAY is in the output: write it and close. Nothing is received any more.
    case failed(ErrorCode, reason: String)
    /// The peer is closing; `lastStream` is the last it will answer.
    case goAwayReceived(lastStream: UInt32, ErrorCode)
    /// After `shutDown()`: the last stream is done. Write the output and close.
    case drained
    case pingAnswered(UInt64)
}

/// What the engine found in the input, one at a time. Internal to the pump; views live until the next one.
package enum Event {
    /// No event: go on.
    case nothing
    /// The input is used up and nothing else is due.
    case idle
    case callOpened(StreamID)
    case requestOpened(StreamID)
    case responseOpened(StreamID)
    case message(StreamID, UnsafeRawBufferPointer, isLast: Bool)
    /// Of a message that the user takes as it comes; `rest` bytes of it are still to come.
    case part(StreamID, UnsafeRawBufferPointer, rest: Int)
    case body(StreamID, UnsafeRawBufferPointer)
    case ended(StreamID)
    case completed(StreamID, GRPCStatus)
    case closed(StreamID, CloseReason)
    case writable(StreamID, capacity: Int)
    case failed
    case goAwayReceived(UInt32, ErrorCode)
    case drained
    case pingAnswered(UInt64)
}
