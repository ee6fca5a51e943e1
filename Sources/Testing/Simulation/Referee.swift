/// A promise that a simulation checks.
package enum Rule: String, Sendable, CaseIterable {
    case oneLeader = "one leader a term"
    case logMatching = "log matching"
    case leaderCompleteness = "a leader has all that is committed"
    case committedForever = "what is committed stays"
    case durable = "a member says only what its disk has"
    case sameState = "the same entries give the same state"
    case opens = "a member opens what it left"
    case linearizable = "clients see a linearizable store"
    case undecided = "clients' histories are judged within the bound"
    case past = "an old revision is read as it was"
    case watch = "a watch has no gap, no repeat and no other order"
    case lease = "a lease that is kept alive does not expire"
    case progress = "a healed cluster makes progress"
    case scrub = "a scrub finds nothing in a store that is whole"
    case equalHash = "members at one revision have one hash"
}

/// Keeps the first breach of a rule: what comes after it may be its consequence.
final class Referee {
    private(set) var broken: (rule: Rule, detail: String)?

    func fail(_ rule: Rule, _ detail: @autoclosure () -> String) {
        if broken == nil { broken = (rule, detail()) }
    }
}
