/// What a check came to.
package enum Verdict: Hashable, Sendable {
    case linearizable
    case violation(Violation)
    /// The search was given up at its bound: nothing is known, least of all that all is well.
    case undecided(key: Int, steps: Int)
}

/// Why no order of the operations explains their answers.
package struct Violation: Hashable, Sendable {
    package enum Rule: Hashable, Sendable {
        /// No order of one key's operations agrees with all of its answers.
        case noOrder(key: Int)
        /// The second operation began after the first had been answered, but its revision is of an earlier state.
        case revisionWentBack
        /// Two operations changed the store and were given the same revision.
        case revisionGivenTwice
    }

    package var rule: Rule
    /// Operations that break the rule on their own, as few as were found. By start.
    package var operations: [Operation]

    package init(rule: Rule, operations: [Operation]) {
        self.rule = rule
        self.operations = operations
    }
}

extension Violation: CustomStringConvertible {
    package var description: String {
        let sentence =
            switch rule {
            case .noOrder(let key): "no order of the operations on k\(key) explains their answers"
            case .revisionWentBack: "a later operation was answered at an earlier revision"
            case .revisionGivenTwice: "two operations changed the store at one revision"
            }
        return ([sentence] + operations.map { "  \($0)" }).joined(separator: "\n")
    }
}
