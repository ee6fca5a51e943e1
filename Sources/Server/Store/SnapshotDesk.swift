internal import StrakeLog
package import StrakeRaft
package import StrakeTables
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
        var givenUp: [GivenUp] = []
        /// Tables that are of no use, to be closed.
        var closing: [StoreTables] = []
        /// Directories to be removed.
        var garbage: [String] = []

        mutating func dropStaged(where isOfNoUse: (SnapshotMetadata) -> Bool) {
            for staged in staged where isOfNoUse(staged.metadata) {
                closing.append(staged.tables)
                garbage.append(staged.directory)
            }
            staged.removeAll { isOfNoUse($0.metadata) }
        }

        mutating func giveUp(_ member: MemberID) {
            if let pinned = outgoing.removeValue(forKey: member) { givenUp.append(.outgoing(pinned.snapshot)) }
        }
    }

    /// What takes time to be let go of: by the lease, or by the byte.
    private enum GivenUp: Sendable {
        case outgoing(OutgoingSnapshot)
        case incoming(IncomingSnapshot)
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
        state.withLock { state in
            state.giveUp(member)
            state.outgoing[member] = Outgoing(snapshot: snapshot)
        }
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
        state.withLock { state in
            guard let pinned = state.outgoing[member]?.snapshot, pinned.name == name else { return nil }
            if outcome != .delivered, pinned.isUseful {
                state.outgoing[member]?.keptUntil = now + Self.keptMilliseconds
            } else {
                state.giveUp(member)
            }
            if outcome == .delivered { return .delivered }
            return pinned.hasMovedOn ? .interrupted : .failed
        }
    }

    /// Gives up what no stream has come for.
    package func expire(now: Int64) {
        state.withLock { state in
            let late = state.outgoing.filter { ($0.value.keptUntil ?? .max) <= now }.map(\.key).sorted()
            for member in late { state.giveUp(member) }
            if let incoming = state.incoming, incoming.pause(now: now) > Self.keptMilliseconds {
                state.incoming = nil
                state.givenUp.append(.incoming(incoming))
            }
        }
    }

    /// The snapshot whose head is about to be sent; nil when it is another one by now.
    package func outgoing(for member: MemberID, _ metadata: SnapshotMetadata) -> OutgoingSnapshot? {
        state.withLock { state in
            guard let pinned = state.outgoing[member]?.snapshot, pinned.metadata == metadata else { return nil }
            return pinned
        }
    }

    package func unpin(_ member: MemberID) {
        state.withLock { $0.giveUp(member) }
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
        state.withLock { state in
            if let old = state.incoming { state.givenUp.append(.incoming(old)) }
            state.incoming = snapshot
        }
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

    // MARK: Rubbish

    /// - Parameter tables: Those in the directory, to be closed once nobody reads them any more.
    package func addGarbage(_ directory: String, _ tables: StoreTables? = nil) {
        state.withLock { state in
            state.garbage.append(directory)
            if let tables { state.closing.append(tables) }
        }
    }

    /// There is something to let go of or to remove.
    package func hasRubbish(now: Int64) -> Bool {
        state.withLock { state in
            !state.givenUp.isEmpty || !state.closing.isEmpty || !state.garbage.isEmpty
                || state.outgoing.contains { ($0.value.keptUntil ?? .max) <= now }
                || state.incoming.map { $0.pause(now: now) > Self.keptMilliseconds } ?? false
        }
    }

    /// Lets go of what was given up. Takes its time: not on a thread that messages or heartbeats wait for.
    package func letGo() {
        var (givenUp, closing) = state.withLock { state in
            defer {
                state.givenUp = []
                state.closing = []
            }
            return (state.givenUp, state.closing)
        }
        for given in givenUp {
            switch given {
            case .outgoing(let snapshot): snapshot.release()
            case .incoming(let snapshot): snapshot.cancel()
            }
        }
        givenUp = []
        // Whoever lets go of tables last closes them. That is not to be one of their readers, so they stay till those are
        // gone.
        var inUse: [StoreTables] = []
        while var tables = closing.popLast() {
            if !isKnownUniquelyReferenced(&tables) { inUse.append(tables) }
        }
        if !inUse.isEmpty { state.withLock { $0.closing += inUse } }
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
        state.withLock { state in
            for member in state.outgoing.keys.sorted() { state.giveUp(member) }
            if let incoming = state.incoming { state.givenUp.append(.incoming(incoming)) }
            state.incoming = nil
            state.staged = []
        }
        letGo()
    }
}
