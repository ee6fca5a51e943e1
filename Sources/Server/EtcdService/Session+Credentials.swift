internal import StrakeAuth
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore
internal import Synchronization

/// Tokens of the calls that came with one. Only while authentication is enabled is there anything in it.
struct CallTokens {
    private var tokens: [StreamID: String] = [:]

    var isEmpty: Bool { tokens.isEmpty }

    subscript(stream: StreamID) -> String? {
        get { tokens[stream] }
        set { tokens[stream] = newValue }
    }

    mutating func remove(_ stream: StreamID) {
        if !tokens.isEmpty { tokens[stream] = nil }
    }
}

/// Messages of one call, kept until it can be told who asks.
struct WaitingMessages {
    /// Further ones end the call: nobody has been asked yet whether he may fill the memory.
    static let bytesMax = 1 << 20

    private(set) var messages: [[UInt8]] = []
    private var bytes = 0

    /// - Returns: False when there is no room.
    mutating func add(_ message: UnsafeRawBufferPointer) -> Bool {
        // One alone has the room that every request has.
        guard messages.isEmpty || bytes + message.count <= Self.bytesMax else { return false }
        bytes += message.count
        messages.append(Array(message))
        return true
    }
}

/// What a call may read, to be asked on any thread. Asked of the users and roles as they are then: so it is to be asked
/// behind the view that is read from, or what was forbidden before it was written could be seen.
struct ReadPermit: Sendable {
    let desk: AuthDesk
    let identity: RequestIdentity?

    func check(_ body: (AuthStore, RequestIdentity?) throws(StoreError) -> Void) throws(MVCCError) {
        guard desk.isEnabled else { return }
        do throws(StoreError) { try body(desk.current, identity) } catch { throw .refused(error) }
    }

    func read(_ range: KeyRange) throws(MVCCError) {
        try check { auth, identity throws(StoreError) in try auth.require(.reading, of: range, by: identity) }
    }

    func read(_ txn: TxnRequest) throws(MVCCError) {
        try check { auth, identity throws(StoreError) in
            // It puts nothing, so no lease is asked for.
            try auth.requireTxn(txn, by: identity) { _ in [] }
        }
    }
}

extension ReadPermit {
    /// All keys that hang on any of the leases. On a reader thread: they may be many.
    func readKeys(of leases: [LeaseID], from reader: Reader) throws(MVCCError) {
        guard desk.isEnabled, !desk.current.isRoot(identity) else { return }
        for lease in leases {
            let keys = try reader.withView { view throws(MVCCError) in try view.keys(attachedTo: lease) }
            try check { auth, identity throws(StoreError) in
                try auth.requireKeys(of: lease, .reading, by: identity) { _ in keys }
            }
        }
        try check { auth, identity throws(StoreError) in try auth.requireUser(identity) }
    }
}

// Who asks, and whether he may.
extension Session {
    /// Remembers what a call says about who asks.
    func noteToken(of stream: StreamID, _ method: Method, _ head: RequestHead) {
        if peerCommonName != nil, head.value(of: "grpcgateway-accept") != nil { streams[stream]?.isForwarded = true }
        guard auth.isEnabled || isEarly(method), let value = head.value(of: "token") ?? head.value(of: "authorization")
        else { return }
        var token = String(decoding: value, as: UTF8.self)
        if token.hasPrefix("Bearer ") { token.removeFirst("Bearer ".count) }
        tokens[stream] = token
    }

    /// Who asks, as of now; nil: nobody has said, or nobody wants to know.
    func identity(of stream: StreamID) throws(StoreError) -> RequestIdentity? {
        guard auth.isEnabled else { return nil }
        if let token = tokens[stream] {
            guard let identity = service.identity(ofToken: token) else { throw .invalidAuthToken }
            return identity
        }
        if streams[stream]?.isForwarded == true { return nil }
        return peerCommonName.map { RequestIdentity(user: AuthName($0), authRevision: auth.revision) }
    }

    func permit(of stream: StreamID) throws(StoreError) -> ReadPermit {
        ReadPermit(desk: auth, identity: try identity(of: stream))
    }

    /// The same for the code that reads, whose errors are the store's.
    func checkedPermit(of stream: StreamID) throws(MVCCError) -> ReadPermit {
        do throws(StoreError) { return try permit(of: stream) } catch { throw .refused(error) }
    }

    /// Nil: nobody knows the call's token, and the call has been told.
    func permitOrRefusal(of stream: StreamID) -> ReadPermit? {
        do throws(StoreError) {
            return try permit(of: stream)
        } catch {
            refuse(stream, error)
            return nil
        }
    }

    /// Why this call is refused; nil: it is not. `body` is asked only while authentication is enabled.
    func denial(
        of stream: StreamID, _ body: (AuthStore, RequestIdentity?) throws(StoreError) -> Void
    ) -> StoreError? {
        guard auth.isEnabled else { return nil }
        do throws(StoreError) {
            try body(auth.current, try identity(of: stream))
            return nil
        } catch {
            return error
        }
    }

    /// Refuses a call by its method alone. Those on keys are looked at where the keys are known.
    func checkAccess(to method: Method, _ stream: StreamID) throws(WireError) {
        let refusal =
            switch method.access {
            case .anybody: nil as StoreError?
            case .user: denial(of: stream) { auth, identity throws(StoreError) in try auth.requireUser(identity) }
            case .root: denial(of: stream) { auth, identity throws(StoreError) in try auth.requireRoot(identity) }
            }
        if let refusal { throw .refused(refusal) }
    }

    func requireRoot(_ stream: StreamID) throws(WireError) {
        let refusal = denial(of: stream) { auth, identity throws(StoreError) in try auth.requireRoot(identity) }
        if let refusal { throw .refused(refusal) }
    }

    /// Why a watch is refused.
    func watchDenial(of range: KeyRange, _ stream: StreamID) -> StoreError? {
        denial(of: stream) { auth, identity throws(StoreError) in
            try auth.require(.reading, of: range, by: identity)
        }
    }

    /// Why a keep-alive is refused: who may not write all of a lease's keys may not keep them either.
    func keepAliveDenial(of lease: LeaseID, _ stream: StreamID) -> StoreError? {
        denial(of: stream) { auth, identity throws(StoreError) in
            try auth.requireUser(identity)
            try auth.requireKeys(of: lease, .writing, by: identity, attached: attachedKeys)
        }
    }

    /// Damage reads as no keys here; the answer that follows meets it again.
    func attachedKeys(of lease: LeaseID) -> [[UInt8]] {
        (try? service.store.reader.withView { view throws(MVCCError) in try view.keys(attachedTo: lease) }) ?? []
    }

    // MARK: What is to come

    /// Some calls have to wait until this member has come as far as the cluster, which a linearizable read tells:
    ///
    /// - Those with a token that another member has given, by an entry that this one has not applied: the client would hear
    ///   that its new token is void.
    /// - Watches, until that has been so once since the member began. What it knows of users may be old or nothing, and a
    ///   watch is asked for its permission once: it would go on with all that comes.
    ///
    /// - Returns: True: the message is kept, and taken when this member has come so far.
    func awaitsNews(_ stream: StreamID, _ method: Method, _ message: UnsafeRawBufferPointer) -> Bool {
        if waitingMessages[stream] != nil {
            if waitingMessages[stream]?.add(message) == false { refuse(stream, .tooManyRequests) }
            return true
        }
        guard isEarly(method) || tokens[stream].map(service.mayCome) ?? false else { return false }
        var waiting = WaitingMessages()
        _ = waiting.add(message)
        waitingMessages[stream] = waiting
        // Else the end of the client's requests would end the call.
        if method == .leaseKeepAlive { streams[stream]?.awaited += 1 }
        loop.read { failure in self.newsHasCome(stream, method, failure) }
        return true
    }

    /// The call would outlast what this member does not know yet.
    func isEarly(_ method: Method) -> Bool { method == .watch && !service.isCaughtUp }

    private func newsHasCome(_ stream: StreamID, _ method: Method, _ failure: StoreError?) {
        if failure == nil { service.isCaughtUp = true }
        guard let messages = waitingMessages.removeValue(forKey: stream)?.messages, streams[stream] != nil else {
            return
        }
        if method == .leaseKeepAlive { streams[stream]?.awaited -= 1 }
        if let failure {
            refuse(stream, failure)
        } else {
            for message in messages where streams[stream] != nil {
                message.withUnsafeBytes { take(method, stream, $0) }
            }
        }
        submit()
        loop.touch(self)
    }
}

extension Service {
    /// Nil: the token is not good, or not any more.
    func identity(ofToken token: String) -> RequestIdentity? {
        if let signedTokens { return signedTokens.identity(of: token) }
        // First, so that a change in between makes the identity stale and not too new.
        let revision = store.auth.revision
        return store.auth.user(ofToken: token).map { RequestIdentity(user: $0, authRevision: revision) }
    }

    /// The token is of an entry that this member has not applied.
    func mayCome(_ token: String) -> Bool {
        guard signedTokens == nil, let index = AuthDesk.index(ofToken: token) else { return false }
        return index > store.metrics.applied.load(ordering: .relaxed)
    }
}

extension Method {
    enum Access {
        /// Or it is asked for the keys.
        case anybody
        case user
        case root
    }

    var access: Access {
        switch self {
        case .leaseGrant, .leaseRevoke, .leaseTimeToLive, .leaseLeases, .status, .alarm, .memberList: .user
        case .defragment, .downgrade, .hash, .hashKV, .snapshot, .moveLeader, .memberRemove, .memberUpdate,
            .memberPromote:
            .root
        // What is wrong with their URLs comes first.
        case .memberAdd, .memberReplace: .anybody
        case .range, .rangeStream, .put, .deleteRange, .txn, .compact, .watch, .leaseKeepAlive, .healthCheck,
            .healthWatch, .lock, .unlock, .campaign, .proclaim, .electionLeader, .observe, .resign:
            .anybody
        // The state machine says who may change what.
        case .authEnable, .authDisable, .authStatus, .authenticate, .userAdd, .userGet, .userList, .userDelete,
            .userChangePassword, .userGrantRole, .userRevokeRole, .roleAdd, .roleGet, .roleList, .roleDelete,
            .roleGrantPermission, .roleRevokePermission:
            .anybody
        }
    }
}
