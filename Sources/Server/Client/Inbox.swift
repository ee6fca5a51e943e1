internal import DequeModule

/// Messages of a stream that came and are not taken yet. Once they are more than may be buffered, the server is held until
/// half of that is left.
package struct Inbox: Sendable {
    private let bytesMax: Int
    private var messages = Deque<[UInt8]>()
    private var bytes = 0
    /// The server is to send no more. Messages that were on the way still come.
    package private(set) var isHeld = false

    /// - Parameter bytesMax: Bytes of messages; one message may go above it.
    package init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    package var isEmpty: Bool { messages.isEmpty }

    package mutating func append(_ message: [UInt8]) {
        messages.append(message)
        bytes += message.count
        // Once held it stays so until `take` gives it free: no one else tells the server.
        if bytes > bytesMax { isHeld = true }
    }

    /// The oldest message, and whether the server is to go on from now.
    package mutating func take() -> (message: [UInt8], releases: Bool)? {
        guard let message = messages.popFirst() else { return nil }
        bytes -= message.count
        let releases = isHeld && bytes <= bytesMax / 2
        if releases { isHeld = false }
        return (message, releases)
    }
}
