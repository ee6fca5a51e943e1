internal import StrakeLinearizability
internal import StrakeModel
internal import StrakeStateMachine

/// What the clients of keys saw.
final class History {
    private(set) var operations: [Operation] = []
    /// Of each operation.
    private var requests: [UInt64] = []

    func add(_ operation: Operation, request: UInt64) {
        if operation.outcome == .unknown, operation.request == .get { return }
        operations.append(operation)
        requests.append(request)
    }

    /// The same, with what became of the requests that nobody was answered: less to search for, and no client's knowledge.
    func completed(by checker: StoreChecker) -> [Operation] {
        zip(operations, requests).compactMap { operation, request in
            if operation.isAnswered { return operation }
            guard let (outcome, revision) = checker.outcomes[request], let known = Operation.Outcome(outcome) else {
                return nil
            }
            return Operation(
                client: operation.client, key: operation.key, request: operation.request, outcome: known,
                revision: revision, invoked: operation.invoked, returned: .max)
        }
    }
}

extension Operation.Outcome {
    /// Nil: not the outcome of a request that goes into a history.
    init?(_ outcome: Outcome) {
        switch outcome {
        case .put: self = .written
        case .deleteRange(let response): self = .deleted(count: Int(response.deleted))
        case .txn(let response):
            switch response.responses.first {
            case .put: self = .written
            case .range(let range): self = .read(range.keyValues.first.map(Operation.Observation.init))
            case .deleteRange, .txn, nil: return nil
            }
        case .compacted, .leaseGranted, .leaseRevoked, .leasesExpired, .leasesCheckpointed, .alarms, .memberSet, .auth,
            .refused:
            return nil
        }
    }
}

extension Operation.Observation {
    init(_ found: KeyValue) {
        self.init(
            // Text that no client wrote is a value that no client wrote.
            value: UInt64(String(decoding: found.value, as: UTF8.self)) ?? .max, createRevision: found.createRevision,
            modRevision: found.modRevision, version: found.version)
    }
}
