import StrakeLinearizability

/// A history in the making: each call is one operation, answered or not.
struct History {
    var operations: [Operation] = []
    private var client = 0

    mutating func add(
        _ request: Operation.Request, _ outcome: Operation.Outcome, key: Int = 0, at revision: Int64? = nil,
        from invoked: Int64, to returned: Int64 = 0
    ) {
        client += 1
        operations.append(
            Operation(
                client: client, key: key, request: request, outcome: outcome, revision: revision, invoked: invoked,
                returned: returned))
    }

    var verdict: Verdict { LinearizabilityCheck().verdict(on: operations) }
}

extension Operation.Outcome {
    static func saw(_ value: UInt64, create: Int64, mod: Int64, version: Int64) -> Self {
        .read(Operation.Observation(value: value, createRevision: create, modRevision: mod, version: version))
    }
}

extension Verdict {
    var violation: Violation? { if case .violation(let violation) = self { violation } else { nil } }
}
