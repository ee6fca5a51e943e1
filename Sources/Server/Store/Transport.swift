package import StrakeRaft

/// Where another member can be reached.
package struct Peer: Hashable, Sendable {
    package var id: MemberID
    /// Peer URLs, tried in turn.
    package var urls: [String]

    package init(id: MemberID, urls: [String]) {
        self.id = id
        self.urls = urls
    }
}

/// Carries what members say to each other. Calls never block; anything may be lost, repeated or late.
package protocol Transport: AnyObject, Sendable {
    /// Begins to deliver what arrives. Called once, before anything else.
    func start(_ receiver: any TransportReceiver)
    /// The other members from now on; connections to those that left end.
    func update(_ peers: [Peer])
    /// Takes raft's messages in order; may drop those to a member that does not take them.
    func send(_ messages: [Message])
    /// Streams a snapshot's head and then its pieces to a member; reports the outcome to the receiver.
    func sendSnapshot(_ metadata: SnapshotMetadata, to member: MemberID, from source: any SnapshotSource)
    /// Asks the member something outside raft (a keep-alive for the leader, …) and gives its answer, or nil when it
    /// cannot be had in time.
    func ask(_ member: MemberID, _ request: [UInt8], answer: @escaping @Sendable ([UInt8]?) -> Void)
    /// Ends everything. On return no thread of the transport uses the receiver any more, nor a source or sink.
    func close()
}

/// The member's side. Called on the transport's threads; must not block.
package protocol TransportReceiver: AnyObject, Sendable {
    func received(_ messages: [Message])
    func unreachable(_ member: MemberID)
    /// The other member has applied that this one was removed from the cluster. Told again each time that it says so.
    func removed(by member: MemberID)
    /// A member offers the stream of a snapshot: where to put it, or nil to refuse.
    ///
    /// - Parameter name: The same where the same stream was offered before: it can go on behind what came then.
    func snapshotOffered(_ metadata: SnapshotMetadata, name: UInt64, by member: MemberID) -> (any SnapshotSink)?
    /// A stream to the member has ended.
    ///
    /// - Parameters:
    ///   - name: Its source's: another snapshot may be meant for the member by now.
    ///   - reason: Why it failed, for the operator; nil when it did not.
    func snapshotEnded(_ member: MemberID, name: UInt64, _ outcome: SnapshotOutcome, reason: String?)
    func asked(_ request: [UInt8], by member: MemberID, answer: @escaping @Sendable ([UInt8]?) -> Void)
    /// What a stranger may know who asks, or wants to join; nil when nobody can join.
    var clusterDescription: ClusterDescription? { get }
    /// Counts on with each write of a client that this member has applied.
    var writesOfClients: UInt64 { get }
}

extension TransportReceiver {
    package var clusterDescription: ClusterDescription? { nil }
    package var writesOfClients: UInt64 { 0 }
}

/// A snapshot on its way out, piece by piece in bounded memory. Used by one thread at a time.
package protocol SnapshotSource: AnyObject, Sendable {
    /// Tells the member whether it has a part of this stream already.
    var name: UInt64 { get }
    /// Goes on behind the bytes that the member has. Called once, before anything is read. Throws when it cannot.
    func resume(at offset: UInt64) throws
    /// The next piece; nil at the end. Throws when the store cannot be read.
    func next(bytesMax: Int) throws -> [UInt8]?
    /// Moves on with each write of a client: while it does, the snapshot shares this machine with them.
    var writesOfClients: UInt64 { get }
    /// Nothing more is asked for.
    func cancel()
}

/// A snapshot on its way in. Used by one thread at a time.
package protocol SnapshotSink: AnyObject, Sendable {
    /// Bytes of the stream that are here already: what comes is what follows them.
    var offset: UInt64 { get }
    func write(_ piece: [UInt8]) throws
    /// All pieces are here and durable.
    func finish() throws
    /// Nothing more comes.
    func cancel()
}
