internal import StrakeEtcdWire
internal import Synchronization

/// One watch over all its streams. Its own task alone takes from it; the lock is for those who ask or call off meanwhile.
final class WatchSession: Sendable {
    private struct State {
        var resume: WatchResume
        var stream: StreamCall?
        var isCalledOff = false
        /// It is over: said again to whoever asks again.
        var failure: StrakeClientError?
        /// Came before the watch was handed out.
        var early: WatchResponse?
        /// Tokens got since the watcher last existed, because the watch was refused.
        var renewals = 0
    }

    private let client: StrakeClient
    private let state: Mutex<State>

    init(_ client: StrakeClient, _ resume: WatchResume) {
        self.client = client
        state = Mutex(State(resume: resume))
    }

    deinit { state.withLock { $0.stream }?.cancel() }

    var nextRevision: Int64 { state.withLock { $0.resume.nextRevision } }

    func requestProgress() {
        state.withLock { $0.stream }?.send(WatchRequest.progress.encoded())
    }

    func cancel() {
        let stream = state.withLock { state in
            state.isCalledOff = true
            return state.stream
        }
        stream?.cancel()
    }

    /// Until the watcher exists.
    func begin() async throws(StrakeClientError) {
        while !state.withLock({ $0.resume.isCreated }) {
            guard let response = try await step() else { continue }
            state.withLock { $0.early = response }
            return
        }
    }

    func next() async throws(StrakeClientError) -> WatchResponse {
        if let early = state.withLock({ $0.early.take() }) { return early }
        while true {
            if let response = try await step() { return response }
        }
    }

    /// One message, or one end of a stream.
    private func step() async throws(StrakeClientError) -> WatchResponse? {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        let taken: WatchResume.Step
        do throws(StrakeClientError) {
            let stream = try await openStream()
            switch await stream.next() {
            case .message(let bytes):
                let message = try Self.decode(bytes)
                taken = state.withLock { $0.resume.receive(message) }
            case .ended(let error):
                throw error ?? StrakeClientError(.unavailable, "the server has ended the stream", wasSent: true)
            }
        } catch {
            taken = state.withLock { state in
                // A task that was cancelled, or a connection that the client itself closed.
                state.isCalledOff || Task.isCancelled ? .fail(.cancelled) : state.resume.ended(error)
            }
        }
        switch taken {
        case .deliver(let response):
            state.withLock { $0.renewals = 0 }
            return response
        case .created:
            state.withLock { $0.renewals = 0 }
            return nil
        case .goOn(let response):
            drop(failure: nil)
            return response
        case .nothing: return nil
        case .fail(let error):
            if renews(after: error) {
                drop(failure: nil)
                return nil
            }
            drop(failure: error)
            throw error
        case .reopen(let milliseconds):
            drop(failure: nil)
            try? await Task.sleep(for: .milliseconds(milliseconds))
            return nil
        }
    }

    private func openStream() async throws(StrakeClientError) -> StreamCall {
        let (stream, request) = state.withLock { ($0.stream, $0.resume.createRequest()) }
        if let stream { return stream }
        let opened = try await client.open(.watch, request)
        let isCalledOff = state.withLock { state in
            state.stream = opened
            return state.isCalledOff
        }
        if isCalledOff { opened.cancel() }
        return opened
    }

    /// Whether the watch is to be made again with another token. etcd 3.5.1 says of a watch with an old token that its user
    /// may not do that, so this is tried once too.
    private func renews(after error: StrakeClientError) -> Bool {
        let ticket = state.withLock { $0.stream?.ticket }
        var renewals = state.withLock { $0.renewals }
        var error = error
        if error.code == .permissionDenied && renewals == 0 { error = StrakeClientError(.invalidAuthToken) }
        guard client.renews(ticket, after: error, &renewals) else { return false }
        state.withLock { $0.renewals = renewals }
        return true
    }

    private func drop(failure: StrakeClientError?) {
        let stream = state.withLock { state in
            state.failure = failure ?? state.failure
            return state.stream.take()
        }
        stream?.cancel()
    }

    private static func decode(_ bytes: [UInt8]) throws(StrakeClientError) -> WatchMessage {
        do {
            return try bytes.withUnsafeBytes { try WatchMessage(protobuf: $0) }
        } catch {
            // Not `internal`, which another stream may help: this answer would come again.
            throw StrakeClientError(.dataLoss, "the answer is no WatchResponse: \(error)", wasSent: true)
        }
    }
}
