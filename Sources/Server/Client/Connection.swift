internal import NIOCore
internal import StrakeHTTP2
internal import Synchronization

/// One connection to one member. Calls are handed over in batches: whoever comes first asks for the event loop, and what
/// comes until it runs is sent in the same write.
final class Connection: Sendable {
    enum Order: Sendable {
        case start(Call)
        case send(StreamCall, [UInt8])
        case release(StreamCall)
        case cancel(Call)
        case close
    }

    private let endpoint: String
    private let trace: (@Sendable (ClientEvent) -> Void)?
    private let channel: any Channel
    private let handler: NIOLoopBound<ConnectionHandler>
    private let orders = Mutex<[Order]>([])

    init(
        _ channel: any Channel, _ handler: NIOLoopBound<ConnectionHandler>, endpoint: String,
        trace: (@Sendable (ClientEvent) -> Void)?
    ) {
        self.endpoint = endpoint
        self.trace = trace
        self.channel = channel
        self.handler = handler
    }

    func submit(_ order: Order) {
        let isFirst = orders.withLock { orders in
            orders.append(order)
            return orders.count == 1
        }
        guard isFirst else { return }
        channel.eventLoop.execute { [self] in
            let batch = orders.withLock { orders in
                let batch = orders
                orders = []
                return batch
            }
            handler.value.obey(batch)
        }
    }

    func unary(
        _ method: Method, _ request: [UInt8], metadata: [HeaderField], deadline: NIODeadline?
    ) async -> UnaryCall.Outcome {
        traceCall(of: method)
        let outcome = await outcome(of: method, request, metadata: metadata, deadline: deadline)
        switch outcome {
        case .success: traceEnd(of: method, nil)
        case .failure(let error): traceEnd(of: method, error)
        }
        return outcome
    }

    func traceCall(of method: Method) { trace?(.called(method: method.path, endpoint: endpoint)) }

    func traceEnd(of method: Method, _ error: StrakeClientError?) {
        trace?(.ended(method: method.path, endpoint: endpoint, error: error))
    }

    private func outcome(
        of method: Method, _ request: [UInt8], metadata: [HeaderField], deadline: NIODeadline?
    ) async -> UnaryCall.Outcome {
        let started = Mutex<UnaryCall?>(nil)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let call = UnaryCall(method, request, metadata: metadata, deadline: deadline) {
                    continuation.resume(returning: $0)
                }
                started.withLock { $0 = call }
                submit(.start(call))
                // The handler below found nothing to call off if it ran before.
                if Task.isCancelled { submit(.cancel(call)) }
            }
        } onCancel: {
            if let call = started.withLock({ $0 }) { submit(.cancel(call)) }
        }
    }

    /// Calls that are under way fail.
    func close() { submit(.close) }
}
