internal import StrakeLog
internal import StrakeRaft
internal import Synchronization

/// The snapshots on their way from and to this member: at most one for each member out, and one in.
final class SnapshotDesk: Sendable {
    private struct State {
        /// Pinned, by member; looked up, never walked.
        var outgoing: [MemberID: OutgoingSnapshot] = [:]
        var incoming: IncomingSnapshot?
        var staged: IncomingSnapshot.Staged?
        /// Members that wait for a snapshot to be pinned.
        var wanted: [MemberID] = []
        /// Directories to be removed.
        var garbage: [String] = []
    }

    private let state = Mutex(State())
    let directories: Mutex<StoreDirectories>

    init(_ directories: StoreDirectories) {
        self.directories = Mutex(directories)
    }

    // MARK: Out

    func want(_ members: [MemberID]) {
        state.withLock { $0.wanted += members }
    }

    func takeWanted() -> [MemberID] {
        state.withLock { state in
            defer { state.wanted = [] }
            return state.wanted
        }
    }

    func pin(_ snapshot: OutgoingSnapshot, for member: MemberID) {
        state.withLock { $0.outgoing.updateValue(snapshot, forKey: member) }?.cancel()
    }

    /// The snapshot whose head is about to be sent; nil when it is another one by now.
    func outgoing(for member: MemberID, _ metadata: SnapshotMetadata) -> OutgoingSnapshot? {
        state.withLock { state in
            guard let pinned = state.outgoing[member], pinned.metadata == metadata else { return nil }
            return pinned
        }
    }

    func unpin(_ member: MemberID) {
        state.withLock { $0.outgoing.removeValue(forKey: member) }?.cancel()
    }

    // MARK: In

    /// Another one under way is given up: the leader has begun anew.
    func receive(_ snapshot: IncomingSnapshot) {
        let old = state.withLock { state in
            defer { state.incoming = snapshot }
            return state.incoming
        }
        old?.cancel()
    }

    func stage(_ staged: IncomingSnapshot.Staged) {
        state.withLock { state in
            if let old = state.staged { state.garbage.append(old.directory) }
            state.staged = staged
            state.incoming = nil
        }
    }

    func takeStaged(_ metadata: SnapshotMetadata) -> IncomingSnapshot.Staged? {
        state.withLock { state in
            guard let staged = state.staged, staged.metadata == metadata else { return nil }
            state.staged = nil
            return staged
        }
    }

    func discard(_ snapshots: [SnapshotMetadata]) {
        state.withLock { state in
            guard let staged = state.staged, snapshots.contains(staged.metadata) else { return }
            state.staged = nil
            state.garbage.append(staged.directory)
        }
    }

    func addGarbage(_ directory: String) {
        state.withLock { $0.garbage.append(directory) }
    }

    /// Removes directories that are of no use. What cannot be removed now goes at the next start.
    func removeGarbage() {
        let names = state.withLock { state in
            defer { state.garbage = [] }
            return state.garbage
        }
        guard !names.isEmpty else { return }
        let directories = directories.withLock { $0 }
        for name in names where name != directories.current { try? directories.remove(name) }
    }

    func close() {
        let (outgoing, incoming) = state.withLock { state in
            defer {
                state.outgoing = [:]
                state.incoming = nil
                state.staged = nil
            }
            return (Array(state.outgoing.values), state.incoming)
        }
        for snapshot in outgoing { snapshot.cancel() }
        incoming?.cancel()
    }
}
