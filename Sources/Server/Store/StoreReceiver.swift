internal import StrakeRaft
internal import StrakeReplication
internal import Synchronization

/// What arrives from the other members.
final class StoreReceiver: TransportReceiver {
    private let store: Store

    init(_ store: Store) {
        self.store = store
    }

    func received(_ messages: [Message]) {
        if store.lifecycle.isStopped { return }
        store.step { replica, output in
            for message in messages { replica.step(.receive(message), into: &output) }
        }
    }

    func unreachable(_ member: MemberID) {
        store.links.failed(member)
        if store.lifecycle.isStopped { return }
        store.step { replica, output in replica.unreachable(member, into: &output) }
    }

    func removed(by member: MemberID) {
        store.departure.withLock { $0.told(by: member, now: MonotonicClock.milliseconds) }
    }

    func snapshotOffered(_ metadata: SnapshotMetadata, name: UInt64, by member: MemberID) -> (any SnapshotSink)? {
        store.accept(metadata, name: name, from: member)
    }

    func snapshotEnded(_ member: MemberID, name: UInt64, _ outcome: SnapshotOutcome, reason: String?) {
        store.snapshotEnded(member, name: name, outcome, reason: reason)
    }

    var clusterDescription: ClusterDescription? { store.lifecycle.isStopped ? nil : store.description }

    var writesOfClients: UInt64 { store.gauges.proposalsApplied.load(ordering: .relaxed) }

    func asked(_ request: [UInt8], by member: MemberID, answer: @escaping @Sendable ([UInt8]?) -> Void) {
        store.serve(request, answer: answer)
    }
}

extension Store {
    /// Nearly an election timeout has passed for a member that starts: who has to wait for an election need not wait for
    /// all of it, and whoever has a leader hears of it within a heartbeat.
    func hastenElection() {
        step { replica, output in
            for _ in 0..<max(0, options.electionTicks - 2) { replica.tick(into: &output) }
        }
    }

    /// Runs the body once the member has made itself known to the cluster.
    package func whenReady(_ body: @escaping @Sendable () -> Void) {
        publisher.whenReady(body)
    }

    /// The same, for callers that have a thread to block; returns too when the member stops.
    func waitUntilReady() {
        let bell = Doorbell()
        whenReady { bell.ring() }
        publisher.tick(self)
        while !lifecycle.isStopped, !bell.wait(milliseconds: 100) {}
    }
}
