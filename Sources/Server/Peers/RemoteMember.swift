internal import NIOCore
internal import StrakeRaft

/// Another member, as the loop knows it.
final class RemoteMember {
    let id: MemberID
    let urgent: Link
    let bulk: Link
    /// Connected to us, but not in our list of members.
    var isGuest: Bool
    /// Connections that it made to us.
    var incomingCount = 0
    /// The snapshot that is on its way to it.
    var snapshot: SnapshotSender?

    init(_ id: MemberID, urls: [PeerURL], isGuest: Bool, loop: PeerLoop) {
        self.id = id
        self.isGuest = isGuest
        urgent = Link(to: id, .urgent, urls: urls, loop: loop)
        bulk = Link(to: id, .bulk, urls: urls, loop: loop)
    }

    func update(_ urls: [PeerURL]) {
        urgent.update(urls)
        bulk.update(urls)
    }

    func start() {
        urgent.start()
        bulk.start()
    }

    func contacted() {
        urgent.contacted()
        bulk.contacted()
    }

    func tick(_ now: NIODeadline) {
        urgent.tick(now)
        bulk.tick(now)
        snapshot?.tick(now)
    }

    func close() {
        urgent.close()
        bulk.close()
        snapshot?.abandon()
        snapshot = nil
    }
}
