package import StrakeRaft
package import StrakeTLS

/// How a member meets the others. Everything but who and where has a default.
package struct PeerOptions: Sendable {
    package static let frameBytesMaxDefault = 64 << 20

    package var cluster: UInt64
    package var member: MemberID
    /// Where to listen.
    package var listenURLs: [PeerURL]
    /// Where others reach this member; it tells them when it connects.
    package var advertisedURLs: [String]
    /// Several processes may listen on the same port.
    package var reusesPort = false
    package var tls = PeerTLS()
    /// What it says to who asks over HTTP for a version of etcd; nil: there is none.
    package var versions: PeerVersions?
    /// Bytes and messages that wait for one member, on each stream. At the bound further ones are dropped.
    package var urgentBounds = QueueBounds(bytes: 8 << 20, count: 4_096)
    /// Raft itself has at most 64 MiB on the way to a member.
    package var bulkBounds = QueueBounds(bytes: 72 << 20, count: 4_096)
    /// The longest frame's payload. A longer message cannot be sent: requests must be bounded below it.
    package var frameBytesMax = frameBytesMaxDefault
    /// One lost packet may be sent again in this time; a longer wait would begin the next attempt late.
    package var connectMilliseconds = 2_000
    package var handshakeMilliseconds = 5_000
    /// Between pings. They measure the round trip, and keep dead connections from looking idle.
    package var pingMilliseconds = 1_000
    /// A connection that gives no sign of life for so long is ended.
    package var silenceMilliseconds = 5_000
    /// The same for the stream of a snapshot, where a disk may be what is slow.
    package var snapshotSilenceMilliseconds = 30_000
    package var askMilliseconds = 5_000
    /// The pause before the second attempt to connect; it doubles up to the longest one, and is cut by chance to between
    /// half and all of itself.
    package var backoffMilliseconds = 50
    package var backoffMillisecondsMax = 1_000
    /// The pause after a refusal: it will not change in a moment.
    package var refusedMilliseconds = 5_000
    /// Told what an operator should know, on the transport's thread.
    package var onNotice: @Sendable (PeerNotice) -> Void = { _ in }

    package init(cluster: UInt64, member: MemberID, listenURLs: [PeerURL], advertisedURLs: [String]) {
        self.cluster = cluster
        self.member = member
        self.listenURLs = listenURLs
        self.advertisedURLs = advertisedURLs
    }
}

/// Versions of etcd that a member stands for.
package struct PeerVersions: Hashable, Sendable {
    package var server: String
    package var cluster: String

    package init(server: String, cluster: String) {
        self.server = server
        self.cluster = cluster
    }
}

/// How connections to and from https URLs are protected.
package struct PeerTLS: Sendable {
    /// What a server for members speaks besides their own protocol, in ALPN's names.
    package static let protocols = ["http/1.1"]

    /// Must be there when a listen URL is secure.
    package var server: TLSServer?
    /// Costs nothing until a connection needs it.
    package var client: TLSClient

    package init(server: TLSServer? = nil, client: TLSClient = TLSClient(TLSOptions())) {
        self.server = server
        self.client = client
    }
}

package struct QueueBounds: Hashable, Sendable {
    package var bytes: Int
    package var count: Int

    package init(bytes: Int, count: Int) {
        self.bytes = bytes
        self.count = count
    }
}
