internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeModel
internal import StrakeStore

extension Session: ServerHandler {
    func callOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {
        // The connection can end while what it sent is looked at.
        guard link != nil else { return }
        guard let method = Method(rawValue: head.method) else { preconditionFailure("method \(head.method)") }
        loop.tally.started(method, version: head.value(of: "client-api-version"))
        let role: StreamState.Role =
            switch method {
            case .watch: .watch(loop.watches.open(stream, of: self))
            case .leaseKeepAlive: .keepAlive
            default: .unary
            }
        streams[stream] = StreamState(id: stream, method: method, role: role, began: receivedAt)
        noteToken(of: stream, method, head)
        admit(stream, method, head)
    }

    func messageReceived(
        _ stream: StreamID, _ message: UnsafeRawBufferPointer, isLast: Bool, on connection: ServerConnection
    ) {
        guard let method = streams.method(of: stream) else { return }
        loop.tally.add(.received, of: method)
        if !method.takesManyMessages {
            let isSurplus = streams.update(stream) { state in
                defer { state.hasMessage = true }
                return state.hasMessage
            }
            if isSurplus == true {
                if let state = streams[stream] { release(state) }
                finish(stream, EtcdStatus(code: .internal, message: "a unary call has one request message"))
                engine.reset(stream, .cancel)
                return
            }
        }
        guard auth.isEnabled || isEarly(method) else { return carryOut(method, stream, message) }
        if !awaitsNews(stream, method, message) { take(method, stream, message) }
    }

    /// Looks at who asks first.
    func take(_ method: Method, _ stream: StreamID, _ message: UnsafeRawBufferPointer) {
        do throws(WireError) {
            try checkAccess(to: method, stream)
            carryOut(method, stream, message)
        } catch {
            finish(stream, error.status)
        }
    }

    private func carryOut(_ method: Method, _ stream: StreamID, _ message: UnsafeRawBufferPointer) {
        do throws(WireError) {
            try receive(method, stream, message)
        } catch {
            finish(stream, error.status)
        }
    }

    func endReceived(_ stream: StreamID, on connection: ServerConnection) {
        guard let state = streams[stream] else { return }
        switch state.role {
        case .unary:
            if !state.hasMessage {
                finish(stream, EtcdStatus(code: .internal, message: "a unary call has one request message"))
            }
        case .keepAlive: endKeepAlives(stream)
        case .watch, .answer, .contender, .observer, .httpAsked:
            // A watch goes on after the client's last request (etcd's behaviour) until the client resets it.
            break
        case .http(let request): answer(request, on: stream)
        case .gateway(let exchange): exchange.bodyEnded()
        }
    }

    func streamClosed(_ stream: StreamID, _ reason: CloseReason, on connection: ServerConnection) {
        guard let state = streams[stream] else { return }
        release(state)
        closeCall(stream, .canceled)
    }

    func streamWritable(_ stream: StreamID, capacity: Int, on connection: ServerConnection) {
        guard let state = streams[stream] else { return }
        switch state.role {
        case .answer(let answer): answer.writable(capacity: capacity)
        case .watch(let key): loop.watches.drained(key)
        case .observer: observerDrained(stream)
        case .gateway(let exchange): exchange.drained()
        case .unary, .keepAlive, .contender, .http, .httpAsked: break
        }
    }

    func connectionChanged(_ event: ConnectionEvent, on connection: ServerConnection) {
        switch event {
        case .failed, .drained: closeAfterOutput()
        case .goAwayReceived, .pingAnswered: break
        }
    }

    func requestOpened(_ stream: StreamID, _ head: RequestHead, on connection: ServerConnection) {
        guard link != nil else { return }
        opened(stream, head)
    }

    func bodyReceived(_ stream: StreamID, _ bytes: UnsafeRawBufferPointer, on connection: ServerConnection) {
        // No endpoint but the gateway takes a body; others' are read so that the connection stays usable.
        if case .gateway(let exchange)? = streams[stream]?.role { exchange.bodyReceived(bytes) }
    }

    /// Lets go of what a stream holds outside the session.
    func release(_ state: StreamState) {
        switch state.role {
        case .watch(let key): loop.watches.close(key)
        case .answer(let answer): answer.cancel()
        case .contender: withdraw(state.id)
        case .observer(let observer):
            loop.waiters.forgetObserver(of: Contender.prefix(of: observer.name), state.id, self)
        case .gateway(let exchange): exchange.cancel()
        case .unary, .keepAlive, .http, .httpAsked: break
        }
    }

    private func receive(
        _ method: Method, _ stream: StreamID, _ message: UnsafeRawBufferPointer
    ) throws(WireError) {
        switch method {
        case .range, .rangeStream: try receiveRange(method, stream, message)
        case .put: try receivePut(stream, message)
        case .deleteRange: try receiveDeleteRange(stream, message)
        case .txn: try receiveTxn(stream, message)
        case .compact: try receiveCompact(stream, message)
        case .watch: loop.watches.receive(try WatchRequest(protobuf: message), on: stream, of: self)
        case .leaseGrant: try receiveGrant(stream, message)
        case .leaseRevoke: try receiveRevoke(stream, message)
        case .leaseKeepAlive: try receiveKeepAlive(stream, message)
        case .leaseTimeToLive: try receiveTimeToLive(stream, message)
        case .leaseLeases: try receiveLeases(stream, message)
        case .alarm: try receiveAlarm(stream, message)
        case .status: try receiveStatus(stream, message)
        case .defragment: try receiveDefragment(stream, message)
        case .hash: try receiveHash(stream, message)
        case .hashKV: try receiveHashKV(stream, message)
        case .snapshot: try receiveSnapshot(stream, message)
        case .memberList: try receiveMemberList(stream, message)
        case .memberAdd: try receiveMemberAdd(stream, message)
        case .memberRemove: try receiveMemberRemove(stream, message)
        case .memberUpdate: try receiveMemberUpdate(stream, message)
        case .memberPromote: try receiveMemberPromote(stream, message)
        case .memberReplace: try receiveMemberReplace(stream, message)
        case .moveLeader: try receiveMoveLeader(stream, message)
        case .downgrade: try receiveDowngrade(stream, message)
        case .healthCheck, .healthWatch: try receiveHealth(method, stream, message)
        case .lock: try receiveLock(stream, message)
        case .unlock: try receiveUnlock(stream, message)
        case .campaign: try receiveCampaign(stream, message)
        case .proclaim: try receiveProclaim(stream, message)
        case .electionLeader: try receiveElectionLeader(stream, message)
        case .observe: try receiveObserve(stream, message)
        case .resign: try receiveResign(stream, message)
        case .authEnable, .authDisable, .authStatus, .authenticate, .userAdd, .userGet, .userList, .userDelete,
            .userChangePassword, .userGrantRole, .userRevokeRole, .roleAdd, .roleGet, .roleList, .roleDelete,
            .roleGrantPermission, .roleRevokePermission:
            try receiveAuth(method, stream, message)
        }
    }
}
