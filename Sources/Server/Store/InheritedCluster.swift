package import StrakeModel

/// A cluster of other servers that a member goes on with: ids, members and the place in the log are those that it had.
package struct InheritedCluster: Hashable, Sendable {
    package let id: UInt64
    /// Who goes on; one of the members.
    package let member: UInt64
    /// Ascending by their ids; some of them vote.
    package let members: [MemberAttributes]
    package let learners: Set<UInt64>
    /// Of the last entry that the history has; above zero, as is the term.
    package let index: UInt64
    package let term: UInt64

    package init(
        id: UInt64, member: UInt64, members: [MemberAttributes], learners: Set<UInt64>, index: UInt64, term: UInt64
    ) {
        let ids = members.map(\.id)
        let isOrdered = zip(ids, ids.dropFirst()).allSatisfy(<)
        precondition(isOrdered && ids.contains(member), "members \(ids), of them \(member)")
        precondition(ids.contains { !learners.contains($0) }, "nobody votes")
        precondition(index > 0 && term > 0 && !ids.contains(0), "index \(index), term \(term), members \(ids)")
        self.id = id
        self.member = member
        self.members = members
        self.learners = learners
        self.index = index
        self.term = term
    }
}
