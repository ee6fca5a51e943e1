internal import NIOCore
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeModel
internal import StrakeStateMachine
internal import StrakeStore

// The cluster service, and what a call asks of this member's place in the cluster.
extension Session {
    /// Refuses a call that this member cannot serve, before anything of it is read.
    func admit(_ stream: StreamID, _ method: Method, _ head: RequestHead) {
        if service.store.isLearner, !method.isServedByLearners {
            refuse(stream, .learnerNotSupported)
            return
        }
        if service.store.isQuarantined, method.readsStore {
            refuse(stream, .corrupt)
            return
        }
        guard let wish = head.value(of: "hasleader"), wish.elementsEqual("true".utf8) else { return }
        guard service.hasLeader else {
            refuse(stream, .noLeader)
            return
        }
        streams[stream]?.requiresLeader = true
    }

    /// What watches deliver from here on cannot be trusted: the client is to look for another member.
    func endWatchesInQuarantine() {
        for state in streams.all {
            switch state.role {
            case .watch, .observer: release(state)
            case .unary, .keepAlive, .answer, .contender, .http, .httpAsked, .gateway: continue
            }
            refuse(state.id, .corrupt)
        }
        loop.touch(self)
    }

    /// There has been no leader for long: the client is to look for another member.
    func endStreamsWithoutLeader() {
        for state in streams.all where state.requiresLeader {
            switch state.role {
            case .watch, .keepAlive, .observer:
                release(state)
                refuse(state.id, .noLeader)
            case .unary, .answer, .contender, .http, .httpAsked, .gateway: break
            }
        }
        loop.touch(self)
    }

    // MARK: Members

    func answerMembers(on stream: StreamID) {
        // etcd leaves the revision out of the cluster service's headers.
        reply(stream, Response(service.header(revision: 0), MemberListResponse(members: clusterMembers)))
    }

    private var clusterMembers: [ClusterMember] {
        service.store.memberList.map { attributes, isLearner in
            ClusterMember(
                id: attributes.id, name: attributes.name, peerURLs: attributes.peerURLs,
                clientURLs: attributes.clientURLs, isLearner: isLearner)
        }
    }

    func receiveMemberAdd(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try MemberAddRequest(protobuf: message)
        guard let urls = PeerURLs.checked(request.peerURLs) else {
            refuse(stream, .memberURLsInvalid)
            return
        }
        try requireRoot(stream)
        let id = UInt64.random(in: 1...UInt64.max)
        change(.add(id, peerURLs: urls, isLearner: request.isLearner), for: stream) { session in
            let members = session.clusterMembers
            let added =
                members.first { $0.id == id }
                ?? ClusterMember(id: id, name: "", peerURLs: urls, isLearner: request.isLearner)
            let header = session.service.header(revision: 0)
            session.reply(stream, Response(header, MemberAddResponse(member: added, members: members)))
        }
    }

    func receiveMemberRemove(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let id = try MemberRemoveRequest(protobuf: message).id
        change(.remove(id), for: stream) { $0.answerMembers(on: stream) }
    }

    func receiveMemberUpdate(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        // Unlike MemberAdd, etcd takes any text here.
        let request = try MemberUpdateRequest(protobuf: message)
        change(.update(request.id, peerURLs: request.peerURLs), for: stream) { $0.answerMembers(on: stream) }
    }

    func receiveMemberPromote(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let id = try MemberPromoteRequest(protobuf: message).id
        change(.promote(id), for: stream) { $0.answerMembers(on: stream) }
    }

    func receiveMemberReplace(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try MemberReplaceRequest(protobuf: message)
        guard let urls = PeerURLs.checked(request.peerURLs) else {
            refuse(stream, .memberURLsInvalid)
            return
        }
        try requireRoot(stream)
        // By the newest state: a member that is behind would add the new member a second time.
        loop.read { failure in
            guard self.streams[stream] != nil else { return }
            if let failure {
                self.refuse(stream, failure)
                self.loop.touch(self)
            } else {
                self.replace(request.id, peerURLs: urls, for: stream)
            }
        }
    }

    private func replace(_ old: UInt64, peerURLs: [String], for stream: StreamID) {
        let later = onLoop(stream)
        let id = UInt64.random(in: 1...UInt64.max)
        service.store.replaceMember(old, peerURLs: peerURLs, newID: id) { result in
            later { session in
                switch result {
                case .success(let step): session.answer(step, on: stream)
                case .failure(let error): session.refuse(stream, error)
                }
            }
        }
    }

    private func answer(_ step: Replacement, on stream: StreamID) {
        var response = MemberReplaceResponse()
        switch step {
        case .added(let id): (response.state, response.newID) = (.added, id)
        case .catchingUp(let id, let progress):
            (response.state, response.newID) = (.catchingUp, id)
            (response.matched, response.last) = (progress.matched, progress.last)
            response.isInTouch = progress.isInTouch
        case .changing(let id): (response.state, response.newID) = (.changing, id)
        case .done(let id): (response.state, response.newID) = (.done, id)
        }
        response.members = clusterMembers
        reply(stream, Response(service.header(revision: 0), response))
    }

    func receiveMoveLeader(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let target = try MoveLeaderRequest(protobuf: message).targetID
        let later = onLoop(stream)
        service.store.moveLeader(to: target) { error in
            later { session in
                if let error {
                    session.refuse(stream, error)
                } else {
                    // etcd's answer carries no header.
                    session.reply(stream, encoded: [])
                }
            }
        }
    }

    private func change(
        _ change: MembershipChange, for stream: StreamID, done: @escaping @Sendable (Session) -> Void
    ) {
        let later = onLoop(stream)
        service.store.change(change) { result in
            later { session in
                switch result {
                case .success: done(session)
                case .failure(let error): session.refuse(stream, error)
                }
            }
        }
    }

    /// How an answer gets back here from another thread: the body runs on the loop, if the call is still open.
    func onLoop(_ stream: StreamID) -> @Sendable (@escaping @Sendable (Session) -> Void) -> Void {
        let (eventLoop, bound) = (loop.eventLoop, NIOLoopBound(self, eventLoop: loop.eventLoop))
        return { body in
            eventLoop.execute {
                let session = bound.value
                guard session.streams[stream] != nil else { return }
                body(session)
                session.loop.touch(session)
                session.loop.flush()
            }
        }
    }
}

extension Method {
    /// Of Range only serializable ones, which the request says.
    fileprivate var isServedByLearners: Bool { self == .range || self == .status || self == .snapshot }

    /// Answers with what this member's own store holds. `HashKV` is left out: it is how an operator finds out.
    fileprivate var readsStore: Bool {
        switch self {
        case .range, .rangeStream, .txn, .watch, .leaseTimeToLive, .leaseLeases, .lock, .campaign, .electionLeader,
            .observe, .snapshot:
            true
        case .put, .deleteRange, .compact, .leaseGrant, .leaseRevoke, .leaseKeepAlive, .alarm, .status, .defragment,
            .hash, .hashKV, .memberList, .memberAdd, .memberRemove, .memberUpdate, .memberPromote, .moveLeader,
            .memberReplace, .downgrade, .healthCheck, .healthWatch, .unlock, .proclaim, .resign, .authEnable,
            .authDisable,
            .authStatus, .authenticate, .userAdd, .userGet, .userList, .userDelete, .userChangePassword, .userGrantRole,
            .userRevokeRole, .roleAdd, .roleGet, .roleList, .roleDelete, .roleGrantPermission, .roleRevokePermission:
            false
        }
    }
}

/// Peer URLs as a client names them.
enum PeerURLs {
    /// Sorted; `nil` when there is none, or one that is not scheme, host and port.
    static func checked(_ texts: [String]) -> [String]? {
        let urls = texts.map { String($0.drop { $0 == " " }) }
        return urls.isEmpty || !urls.allSatisfy(isValid) ? nil : urls.sorted()
    }

    private static func isValid(_ text: String) -> Bool {
        guard let mark = text.firstRange(of: "://") else { return false }
        let scheme = text[..<mark.lowerBound]
        let rest = text[mark.upperBound...]
        if scheme == "unix" || scheme == "unixs" { return !rest.isEmpty }
        guard scheme == "http" || scheme == "https", !rest.contains("/"), let colon = rest.lastIndex(of: ":") else {
            return false
        }
        return colon > rest.startIndex && UInt16(rest[rest.index(after: colon)...]) != nil
    }
}
