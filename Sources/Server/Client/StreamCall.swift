internal import NIOCore
internal import StrakeHTTP2
internal import Synchronization

/// A call whose answers are a stream, taken one at a time by one task. What is not taken yet is bounded: above the bound
/// the HTTP/2 window is held, and the server has to wait.
final class StreamCall: Call, @unchecked Sendable {
    enum Next {
        case message([UInt8])
        /// Nil: the server has ended it, with status OK.
        case ended(StrakeClientError?)
    }

    /// Above it the window is held, from half of it on given again. What is on the way adds a stream window to it.
    static let bufferedBytesMax = 1 << 20

    private struct State {
        var inbox = Inbox(bytesMax: StreamCall.bufferedBytesMax)
        var isOver = false
        var error: StrakeClientError?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let connection: Connection
    /// What it was opened with.
    let ticket: Authenticator.Ticket?

    /// Opens it.
    init(
        _ method: Method, _ request: [UInt8], _ admission: StrakeClient.Admission, deadline: NIODeadline? = nil,
        on connection: Connection
    ) {
        self.connection = connection
        ticket = admission.ticket
        super.init(method, request, metadata: admission.metadata, deadline: deadline)
        connection.traceCall(of: method)
        connection.submit(.start(self))
    }

    /// The next message, or the end. After the end it is the end again.
    func next() async -> Next {
        while true {
            if let next = take() { return next }
            if Task.isCancelled { return .ended(.cancelled) }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isDue = state.withLock { state in
                        if !state.inbox.isEmpty || state.isOver || Task.isCancelled { return true }
                        precondition(state.waiter == nil, "two tasks take from one stream")
                        state.waiter = continuation
                        return false
                    }
                    if isDue { continuation.resume() }
                }
            } onCancel: {
                wake()
            }
        }
    }

    private func take() -> Next? {
        var releases = false
        let next: Next? = state.withLock { state in
            guard let taken = state.inbox.take() else { return state.isOver ? .ended(state.error) : nil }
            releases = taken.releases
            return .message(taken.message)
        }
        if releases { connection.submit(.release(self)) }
        return next
    }

    private func wake() {
        state.withLock { $0.waiter.take() }?.resume()
    }

    /// Sends another message of a conversation. It is lost when the stream is over.
    func send(_ message: [UInt8]) { connection.submit(.send(self, message)) }

    /// Ends it at once, if it is not over.
    func cancel() { connection.submit(.cancel(self)) }

    override func received(_ message: UnsafeRawBufferPointer) -> Bool {
        let message = Array(message)
        let (waiter, holds) = state.withLock { state in
            state.inbox.append(message)
            return (state.waiter.take(), state.inbox.isHeld)
        }
        waiter?.resume()
        return holds
    }

    override func ended(_ error: StrakeClientError?) {
        connection.traceEnd(of: method, error)
        let waiter = state.withLock { state in
            state.isOver = true
            state.error = error
            return state.waiter.take()
        }
        waiter?.resume()
    }
}
