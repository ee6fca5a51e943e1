internal import StrakeLog
internal import StrakeRaft
internal import StrakeReplication
internal import Synchronization

// A member that was removed, and those whom it asks about it.
extension Store {
    /// A member that was removed goes once the others can do without it.
    func leaveIfRemoved(now: Int64) {
        guard departure.withLock({ $0.hasBegun }) else { return }
        let (configuration, applied) = replica.withLock { ($0.replica.node.configuration, $0.replica.node.applied) }
        askWhoKnowsOfRemoval(configuration, applied)
        let (verdict, aware) = departure.withLock { departure in
            (departure.tick(now: now, own: identity.member, configuration), departure.aware)
        }
        let names = aware.isEmpty ? "none" : aware.map { String($0.rawValue, radix: 16) }.joined(separator: ", ")
        switch verdict {
        case .stay: break
        case .stayAndTell:
            options.onNotice(
                .removalPending(
                    "it was removed, but goes on voting until a majority of the others say that they know of it, since "
                        + "they might need its vote; those who have said so: \(names)"))
        case .leave(knownToMajority: true):
            options.onNotice(.removed("those who have said that they know of it: \(names)"))
        case .leave(knownToMajority: false):
            options.onNotice(
                .removed(
                    "only these have said that they know of it: \(names); start this member again if the others find no "
                        + "leader"))
        }
    }

    /// The member was removed, and this one's disk knows it. Costs the replica's lock, no more: the transport's threads ask.
    func knowsRemoval(of member: UInt64, since index: UInt64) -> Bool {
        replica.withLock { state in
            state.replica.node.hasRemoved(MemberID(rawValue: member), since: LogIndex(rawValue: index))
        }
    }

    /// The others tell a removed member that connects to them that it was removed, but do not remember that when they have
    /// started again.
    private func askWhoKnowsOfRemoval(_ configuration: Configuration, _ applied: LogIndex) {
        guard let transport, lifecycle.hasJoined else { return }
        let request = PeerRequest.removal(of: memberID, since: applied.rawValue).encoded()
        for member in configuration.members where member != identity.member {
            transport.ask(member, request) { [weak self] bytes in
                guard let self, case .changed? = bytes.flatMap({ PeerAnswer(decoding: $0) }) else { return }
                self.departure.withLock { $0.told(by: member, now: MonotonicClock.milliseconds) }
            }
        }
    }
}
