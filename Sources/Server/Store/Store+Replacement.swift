package import StrakeModel
internal import StrakeRaft
internal import StrakeReplication
internal import StrakeStateMachine
internal import Synchronization

/// How far a member's log agrees with the leader's, and where that one ends.
package struct LogProgress: Hashable, Sendable {
    package var matched: UInt64
    package var last: UInt64
    /// The member answers: while nothing of its log agrees yet, it is getting a snapshot.
    package var isInTouch: Bool

    package init(matched: UInt64, last: UInt64, isInTouch: Bool) {
        self.matched = matched
        self.last = last
        self.isInTouch = isInTouch
    }
}

/// How far a replacement has come. Who wants it asks again until it is done.
package enum Replacement: Hashable, Sendable {
    /// The new member is in the cluster, as a learner, and can be started.
    case added(UInt64)
    case catchingUp(UInt64, LogProgress)
    /// The joint change is made: both members count until it is left.
    case changing(UInt64)
    case done(UInt64)
}

extension Store {
    /// Takes the next step towards a cluster in which a member has another one's place: a learner is added, catches up,
    /// and becomes a voter with the change that removes the old one. Nothing but the cluster's own state says how far it
    /// is, so anybody can ask anew, of any member.
    ///
    /// - Parameters:
    ///   - peerURLs: The new member's, by which it is known again. Not the old one's.
    ///   - newID: For the new member, should it have to be added.
    package func replaceMember(
        _ old: UInt64, peerURLs: [String], newID: UInt64,
        answer: @escaping @Sendable (Result<Replacement, StoreError>) -> Void
    ) {
        let cluster = cluster
        let (members, isJoint) = (cluster.members, cluster.configuration.isJoint)
        let isOldKnown = members.contains { $0.id == old }
        guard let found = members.first(where: { $0.peerURLs.sorted() == peerURLs.sorted() }) else {
            guard isOldKnown else { return answer(.failure(.memberNotFound)) }
            return change(.addReplacement(newID, peerURLs: peerURLs, of: old)) { result in
                answer(result.map { .added(newID) })
            }
        }
        if found.id == old { return answer(.failure(.peerURLExists)) }
        if !isLearner(found.id) {
            guard isOldKnown else { return answer(.success(.done(found.id))) }
            return answer(isJoint ? .success(.changing(found.id)) : .failure(.peerURLExists))
        }
        change(.replace(old, by: found.id)) { [weak self] result in
            switch result {
            case .success: answer(.success(.changing(found.id)))
            case .failure(.learnerNotReady):
                self?.progress(of: found.id) { answer($0.map { .catchingUp(found.id, $0) }) }
            case .failure(let error): answer(.failure(error))
            }
        }
    }

    /// What this leader knows of a member's log.
    func logProgress(of member: UInt64) -> LogProgress? {
        let status = replica.withLock { $0.replica.node.status }
        guard let found = status.members.first(where: { $0.member.rawValue == member }) else { return nil }
        return LogProgress(
            matched: found.match.rawValue, last: status.last.index.rawValue,
            isInTouch: members(inTouchFor: 0).contains(member))
    }
}
