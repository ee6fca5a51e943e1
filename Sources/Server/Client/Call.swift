internal import NIOCore
internal import StrakeHTTP2

/// One call on a connection.
///
/// All but what is constant is used on the connection's event loop only, which is what makes it Sendable.
class Call: @unchecked Sendable {
    let method: Method
    /// The first message, and of most calls the only one.
    let request: [UInt8]
    let metadata: [HeaderField]
    let deadline: NIODeadline?

    /// Where it runs; nil before it is opened.
    final var stream: StreamID?
    final var isOver = false
    /// Called off before it began.
    final var isCalledOff = false

    init(_ method: Method, _ request: [UInt8], metadata: [HeaderField], deadline: NIODeadline?) {
        self.method = method
        self.request = request
        self.metadata = metadata
        self.deadline = deadline
    }

    /// - Returns: Whether the stream's window should be held: the user has no room.
    func received(_ message: UnsafeRawBufferPointer) -> Bool { preconditionFailure("a call takes its messages") }

    /// Once, and nothing comes after it.
    func ended(_ error: StrakeClientError?) { preconditionFailure("a call takes its end") }

    final func finish(_ error: StrakeClientError?) {
        guard !isOver else { return }
        isOver = true
        ended(error)
    }
}

/// A call with one answer.
final class UnaryCall: Call, @unchecked Sendable {
    typealias Outcome = Result<[UInt8], StrakeClientError>

    private let completion: @Sendable (Outcome) -> Void
    private var answer: [UInt8]?

    init(
        _ method: Method, _ request: [UInt8], metadata: [HeaderField], deadline: NIODeadline?,
        completion: @escaping @Sendable (Outcome) -> Void
    ) {
        self.completion = completion
        super.init(method, request, metadata: metadata, deadline: deadline)
    }

    override func received(_ message: UnsafeRawBufferPointer) -> Bool {
        answer = Array(message)
        return false
    }

    override func ended(_ error: StrakeClientError?) {
        if let error { return completion(.failure(error)) }
        guard let answer else {
            return completion(.failure(StrakeClientError(.internal, "the server sent no answer", wasSent: true)))
        }
        completion(.success(answer))
    }
}
