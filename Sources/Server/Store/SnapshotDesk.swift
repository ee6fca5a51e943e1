internal import StrakeLog
package import StrakeRaft
package import Synchronization

/// The snapshots on their way from and to this member: at most one for each member out, and one in.
package final class SnapshotDesk: Sendable {
    private struct State {
        /// Pinned, by member; looked up, never walked.
        var outgoing: [MemberID: OutgoingSnapshot] = [:]
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
        state.withLock { $0.outgoing.updateValue(snapshot, forKey: member) }?.cancel()
    }

    /// The snapshot whose head is about to be sent; nil when it is another one by now.
    package func outgoing(for member: MemberID, _ metadata: SnapshotMetadata) -> OutgoingSnapshot? {
        state.withLock { state in
            guard let pinned = state.outgoing[member], pinned.metadata == metadata else { return nil }
            return pinned
        }
    }

    package func unpin(_ member: MemberID) {
        state.withLock { $0.outgoing.removeValue(forKey: member) }?.cancel()
    }

    // MARK: In

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
            state.incoming = nil
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
        for snapshot in outgoing { snapshot.cancel() }
        incoming?.cancel()
    }
}
