internal import NIOCore
internal import Synchronization

/// The connections to a client's endpoints, one each, made again when they are lost.
final class ConnectionPool: Sendable {
    typealias Found = Result<Connection, StrakeClientError>

    private struct State {
        var balancer: Balancer
        var connections: [Connection?]
        /// Counts connections to each endpoint, so that the end of an old one is not taken for that of the new.
        var generations: [UInt64]
        var waiters: [UInt64: CheckedContinuation<Found, Never>] = [:]
        var lastWaiter: UInt64 = 0
        var lastError = StrakeClientError(.unavailable, "no endpoint was tried")
        var isClosed = false
    }

    /// Who is told what, and what is to be connected, once the lock is free.
    private typealias Answers = [(CheckedContinuation<Found, Never>, Found)]
    private typealias Due = [(Int, UInt64)]

    let addresses: [Address]
    let connector: Connector
    private let state: Mutex<State>

    init(_ addresses: [Address], _ connector: Connector) {
        self.addresses = addresses
        self.connector = connector
        state = Mutex(
            State(
                balancer: Balancer(count: addresses.count), connections: Array(repeating: nil, count: addresses.count),
                generations: Array(repeating: 0, count: addresses.count)))
    }

    /// The connection that is next in turn; the first one that can be made, if there is none yet.
    func connection(until deadline: NIODeadline?) async -> Found {
        if let found = find() { return found }
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let timer = deadline.map { deadline in
            connector.group.next().scheduleTask(deadline: deadline) { self.dismiss(id, .deadlineExceeded) }
        }
        defer { timer?.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                update { $0.waiters[id] = continuation }
                if Task.isCancelled { dismiss(id, .cancelled) }
                if let deadline, deadline <= NIODeadline.now() { dismiss(id, .deadlineExceeded) }
            }
        } onCancel: {
            dismiss(id, .cancelled)
        }
    }

    /// What can be said at once. Begins to connect what is due.
    private func find() -> Found? {
        let now = NIODeadline.now().uptimeNanoseconds
        let (found, due) = state.withLock { state -> (Found?, Due) in
            if state.isClosed { return (.failure(.closed), []) }
            let due = takeDue(&state, now)
            return (pick(&state), due)
        }
        for (index, generation) in due { connect(index, generation) }
        return found
    }

    private func takeDue(_ state: inout State, _ now: UInt64) -> Due {
        state.balancer.takeDue(now: now).map { index in
            state.generations[index] += 1
            return (index, state.generations[index])
        }
    }

    private func pick(_ state: inout State) -> Found? {
        switch state.balancer.pick() {
        case .use(let index):
            guard let connection = state.connections[index] else {
                preconditionFailure("endpoint \(index) is ready without a connection")
            }
            return .success(connection)
        case .wait: return nil
        case .none: return .failure(state.lastError)
        }
    }

    /// Changes the state, answers those who can be answered now, and connects what those who wait on need.
    private func update(_ change: (inout State) -> Void) {
        let now = NIODeadline.now().uptimeNanoseconds
        let (answers, due) = state.withLock { state -> (Answers, Due) in
            change(&state)
            let answers = settle(&state)
            return (answers, state.waiters.isEmpty ? [] : takeDue(&state, now))
        }
        for (waiter, found) in answers { waiter.resume(returning: found) }
        for (index, generation) in due { connect(index, generation) }
    }

    private func settle(_ state: inout State) -> Answers {
        var answers: Answers = []
        for id in state.waiters.keys.sorted() {
            let found: Found? = state.isClosed ? .failure(.closed) : pick(&state)
            guard let found else { break }
            if let waiter = state.waiters.removeValue(forKey: id) { answers.append((waiter, found)) }
        }
        return answers
    }

    private func connect(_ index: Int, _ generation: UInt64) {
        connector.connect(to: addresses[index]) { self.lost(index, generation) }.whenComplete { result in
            self.connected(index, generation, result)
        }
    }

    private func connected(_ index: Int, _ generation: UInt64, _ result: Result<Connection, any Error>) {
        var unwanted: Connection?
        update { state in
            guard !state.isClosed, state.generations[index] == generation else {
                unwanted = try? result.get()
                return
            }
            switch result {
            case .success(let connection):
                state.connections[index] = connection
                state.balancer.connected(index)
            case .failure(let error):
                state.balancer.failed(index, now: NIODeadline.now().uptimeNanoseconds)
                state.lastError = error as? StrakeClientError ?? StrakeClientError(.unavailable, "\(error)")
            }
        }
        unwanted?.close()
    }

    /// A connection takes no more calls. Also of one that was not made: then there is nothing to be told.
    private func lost(_ index: Int, _ generation: UInt64) {
        var wasMade = false
        update { state in
            guard state.generations[index] == generation, state.connections[index] != nil else { return }
            wasMade = true
            state.connections[index] = nil
            state.balancer.lost(index)
        }
        if wasMade { connector.trace?(.disconnected(endpoint: addresses[index].text)) }
    }

    private func dismiss(_ id: UInt64, _ error: StrakeClientError) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: .failure(error))
    }

    /// Ends all connections; calls that are under way fail, and no others begin.
    func close() {
        var connections: [Connection?] = []
        update { state in
            state.isClosed = true
            connections = state.connections
            state.connections = Array(repeating: nil, count: connections.count)
        }
        for connection in connections { connection?.close() }
    }

    /// A connection of its own to one member, which whoever asked for it closes.
    func dial(_ address: Address) async -> Found {
        do {
            return .success(try await connector.connect(to: address) {}.get())
        } catch {
            return .failure(error as? StrakeClientError ?? StrakeClientError(.unavailable, "\(error)"))
        }
    }
}
