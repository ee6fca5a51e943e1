internal import StrakeLog
package import StrakeRaft
package import Synchronization

/// The snapshots on their way from and to this member: at most one for each member out, and one in.
package final class SnapshotDesk: Sendable {
    /// How long both ends keep what they have when a stream breaks off, in milliseconds: the sender its pin, which holds
    /// history from removal, the receiver what has come.
    package static let keptMilliseconds: Int64 = 60_000

    private struct Outgoing {
        var snapshot: OutgoingSnapshot
        /// No stream of it is under way; it waits for the next one until then.
        var keptUntil: Int64?
    }

    private struct State {
        /// Pinned, by member; walked only where the order does not matter.
        var outgoing: [MemberID: Outgoing] = [:]
        var incoming: IncomingSnapshot?
        /// Received and of use: one that the disk is to switch to in its turn, and one that came meanwhile.
        var staged: [IncomingSnapshot.Staged] = []
        /// Members that wait for a snapshot to be pinned.
        var wanted: [MemberID] = []
        /// Directories to be removed.
        var garbage: [String] = []

        mutating func dropStaged(where isOfNoUse: (SnapshotMetadata) -> Bool) {
            garbage += staged.filter { isOfNoUse($0.metadata) }.map(\.directory)
            staged.removeAll { isOfNoUse($0.metadata) }
        }
    }

    private let state = Mutex(State())
    package let directories: Mutex<StoreDirectories>

    package init(_ directories: StoreDirectories) {
        self.directories = Mutex(directories)
    }

    // MARK: Out

    package func want(_ members: [MemberID]) {
        state.withLock { $0.wanted += members }
    }

    package func takeWanted() -> [MemberID] {
        state.withLock { state in
            defer { state.wanted = [] }
            return state.wanted
        }
    }

    package func pin(_ snapshot: OutgoingSnapshot, for member: MemberID) {
        state.withLock { $0.outgoing.updateValue(Outgoing(snapshot: snapshot), forKey: member) }?.snapshot.release()
    }

    /// What is pinned for the member since an earlier stream, if the log still goes on from there.
    package func resumable(for member: MemberID, logStart: LogIndex) -> OutgoingSnapshot? {
        let pinned = state.withLock { state -> OutgoingSnapshot? in
            guard let pinned = state.outgoing[member], pinned.keptUntil != nil else { return nil }
            state.outgoing[member]?.keptUntil = nil
            return pinned.snapshot
        }
        guard let pinned, pinned.isUseful, pinned.metadata.last.index >= logStart else { return nil }
        return pinned
    }

    /// A stream has ended. What broke off is kept for another one.
    ///
    /// - Parameter name: Of the snapshot that it was a stream of.
    /// - Returns: For raft: of a stream that failed, whether it had begun further on than the one before. Nil when another
    ///   snapshot is pinned for the member by now, or none: that one's own end is what raft waits for.
    package func ended(
        _ member: MemberID, name: UInt64, _ outcome: SnapshotOutcome, now: Int64
    ) -> SnapshotOutcome? {
        let ended = state.withLock { state -> (snapshot: OutgoingSnapshot, isOver: Bool)? in
            guard let pinned = state.outgoing[member]?.snapshot, pinned.name == name else { return nil }
            let isOver = outcome == .delivered || !pinned.isUseful
            if isOver {
                state.outgoing[member] = nil
            } else {
                state.outgoing[member]?.keptUntil = now + Self.keptMilliseconds
            }
            return (pinned, isOver)
        }
        guard let ended else { return nil }
        if ended.isOver { ended.snapshot.release() }
        if outcome == .delivered { return .delivered }
        return ended.snapshot.hasMovedOn ? .interrupted : .failed
    }

    /// Lets go of what no stream has come for.
    package func expire(now: Int64) {
        let (outgoing, incoming) = state.withLock { state in
            let outgoing = state.outgoing.filter { ($0.value.keptUntil ?? .max) <= now }
            for member in outgoing.keys { state.outgoing[member] = nil }
            guard let incoming = state.incoming, incoming.pause(now: now) > Self.keptMilliseconds else {
                return (outgoing, IncomingSnapshot?.none)
            }
            state.incoming = nil
            return (outgoing, incoming)
        }
        for pinned in outgoing.values { pinned.snapshot.release() }
        incoming?.cancel()
    }

    /// The snapshot whose head is about to be sent; nil when it is another one by now.
    package func outgoing(for member: MemberID, _ metadata: SnapshotMetadata) -> OutgoingSnapshot? {
        state.withLock { state in
            guard let pinned = state.outgoing[member]?.snapshot, pinned.metadata == metadata else { return nil }
            return pinned
        }
    }

    package func unpin(_ member: MemberID) {
        state.withLock { $0.outgoing.removeValue(forKey: member) }?.snapshot.release()
    }

    // MARK: In

    /// What has come of the offered snapshot already.
    package func incoming(_ metadata: SnapshotMetadata, name: UInt64, from member: MemberID) -> IncomingSnapshot? {
        state.withLock { state in
            guard let incoming = state.incoming, incoming.isOffered(metadata, name: name, by: member) else {
                return nil
            }
            return incoming
        }
    }

    /// Another one under way is given up: the leader has begun anew.
    package func receive(_ snapshot: IncomingSnapshot) {
        let old = state.withLock { state in
            defer { state.incoming = snapshot }
            return state.incoming
        }
        old?.cancel()
    }

    package func stage(_ staged: IncomingSnapshot.Staged) {
        state.withLock { state in
            state.dropStaged { $0 == staged.metadata }
            state.staged.append(staged)
            // Another one may have begun meanwhile.
            if let incoming = state.incoming, incoming.has(made: staged) { state.incoming = nil }
        }
    }

    package func takeStaged(_ metadata: SnapshotMetadata) -> IncomingSnapshot.Staged? {
        state.withLock { state in
            guard let place = state.staged.firstIndex(where: { $0.metadata == metadata }) else { return nil }
            return state.staged.remove(at: place)
        }
    }

    package func discard(_ snapshots: [SnapshotMetadata]) {
        state.withLock { $0.dropStaged { snapshots.contains($0) } }
    }

    package func addGarbage(_ directory: String) {
        state.withLock { $0.garbage.append(directory) }
    }

    /// Removes directories that are of no use. What cannot be removed now goes at the next start.
    package func removeGarbage() {
        let names = state.withLock { state in
            defer { state.garbage = [] }
            return state.garbage
        }
        guard !names.isEmpty else { return }
        let directories = directories.withLock { $0 }
        for name in names where name != directories.current { try? directories.remove(name) }
    }

    package func close() {
        let (outgoing, incoming) = state.withLock { state in
            defer {
                state.outgoing = [:]
                state.incoming = nil
                state.staged = []
            }
            return (Array(state.outgoing.values), state.incoming)
        }
        for pinned in outgoing { pinned.snapshot.release() }
        incoming?.cancel()
    }
}
