/// The messages of a stream, for one task to iterate over once. It is not opened again: a member that is lost ends it with
/// an error. What is not taken keeps the server waiting.
public struct MessageSequence<Element: Sendable>: AsyncSequence, Sendable {
    public typealias Failure = StrakeClientError
    typealias Decoder = @Sendable ([UInt8]) throws(StrakeClientError) -> Element

    /// Ends the stream with whoever is left of those that could take from it.
    fileprivate final class Owner: Sendable {
        let stream: StreamCall

        init(_ stream: StreamCall) {
            self.stream = stream
        }

        deinit { stream.cancel() }
    }

    private let owner: Owner
    private let decode: Decoder

    init(_ stream: StreamCall, decode: @escaping Decoder) {
        owner = Owner(stream)
        self.decode = decode
    }

    /// Ends the stream; whoever waits for a message gets `cancelled`.
    public func cancel() { owner.stream.cancel() }

    public func makeAsyncIterator() -> Iterator { Iterator(owner: owner, decode: decode) }

    public struct Iterator: AsyncIteratorProtocol {
        public typealias Failure = StrakeClientError

        fileprivate let owner: Owner
        fileprivate let decode: Decoder

        /// Nil when the server has said that this was all.
        public mutating func next() async throws(StrakeClientError) -> Element? {
            switch await owner.stream.next() {
            case .message(let bytes): return try decode(bytes)
            case .ended(let error):
                if let error { throw error }
                return nil
            }
        }
    }
}
