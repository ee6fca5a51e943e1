internal import StrakeModel
internal import StrakeTables

/// Collects references and puts the first of them, up to a limit, in order.
struct SortedReferences {
    private let rule: SortRule
    private let limit: Int?
    private(set) var references: [SortReference] = []

    /// Kept beyond the limit before the rest is thrown away.
    private static var slack: Int { 1_024 }

    init(_ rule: SortRule, limit: Int64) {
        self.rule = rule
        self.limit = limit > 0 ? Int(limit) : nil
    }

    /// Memory stays within twice the limit, or one reference a key without one.
    mutating func append(
        _ reference: SortReference, value: (Revision) throws(TableError) -> [UInt8]
    ) throws(TableError) {
        references.append(reference)
        if let limit, limit < Int.max / 4, references.count >= 2 * limit + Self.slack { try finish(value: value) }
    }

    /// Sorts, and drops what the limit cuts off.
    mutating func finish(value: (Revision) throws(TableError) -> [UInt8]) throws(TableError) {
        let rule = rule
        var failure: TableError?
        references.sort { left, right in
            guard failure == nil else { return false }
            do throws(TableError) {
                return try rule.precedes(left, right, value: value)
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        if let limit, references.count > limit { references.removeSubrange(limit...) }
    }
}
