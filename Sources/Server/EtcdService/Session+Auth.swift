internal import NIOCore
internal import StrakeAuth
internal import StrakeCredentials
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeJWT
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeReplication
internal import StrakeStateMachine
internal import StrakeStore

/// What is asked about users and roles, of the newest state.
enum AuthQuestion {
    case status
    case userGet(AuthName)
    case userList
    case roleGet(AuthName)
    case roleList
    case authenticate(AuthAttempt)
}

/// A client on its way to a token.
final class AuthAttempt {
    /// Users and roles may change between the check and the entry; then it is done again, so many times.
    private static let triesMax = 5

    let stream: StreamID
    let user: AuthName
    let password: [UInt8]
    private var tries = 0

    init(stream: StreamID, user: AuthName, password: [UInt8]) {
        self.stream = stream
        self.user = user
        self.password = password
    }

    /// - Returns: False when that was often enough.
    func tryOnce() -> Bool {
        tries += 1
        return tries <= Self.triesMax
    }
}

// The auth service.
extension Session {
    func receiveAuth(
        _ method: Method, _ stream: StreamID, _ message: UnsafeRawBufferPointer
    ) throws(WireError) {
        switch method {
        case .authEnable:
            _ = try EmptyRequest(protobuf: message)
            propose(.enable, for: stream)
        case .authDisable:
            _ = try EmptyRequest(protobuf: message)
            propose(.disable, for: stream)
        case .authStatus:
            _ = try EmptyRequest(protobuf: message)
            ask(.status, for: stream)
        case .authenticate:
            let request = try AuthPasswordRequest(protobuf: message)
            let attempt = AuthAttempt(stream: stream, user: request.name, password: request.password)
            ask(.authenticate(attempt), for: stream)
        case .userAdd: try receiveUserAdd(stream, message)
        case .userGet: ask(.userGet(try AuthNameRequest(protobuf: message).name), for: stream)
        case .userList:
            _ = try EmptyRequest(protobuf: message)
            ask(.userList, for: stream)
        case .userDelete: propose(.userDelete(try AuthNameRequest(protobuf: message).name), for: stream)
        case .userChangePassword: try receiveUserChangePassword(stream, message)
        case .userGrantRole:
            let request = try AuthUserRoleRequest(protobuf: message)
            propose(.userGrantRole(request.user, role: request.role), for: stream)
        case .userRevokeRole:
            let request = try AuthUserRoleRequest(protobuf: message)
            propose(.userRevokeRole(request.user, role: request.role), for: stream)
        case .roleAdd: propose(.roleAdd(try AuthNameRequest(protobuf: message).name), for: stream)
        case .roleGet: ask(.roleGet(try AuthNameRequest(protobuf: message).name), for: stream)
        case .roleList:
            _ = try EmptyRequest(protobuf: message)
            ask(.roleList, for: stream)
        case .roleDelete: propose(.roleDelete(try AuthNameRequest(protobuf: message).name), for: stream)
        case .roleGrantPermission:
            let request = try AuthGrantPermissionRequest(protobuf: message)
            guard let permission = request.permission else {
                try requireRoot(stream)
                throw .refused(.permissionNotGiven)
            }
            propose(.roleGrantPermission(request.role, permission), for: stream)
        case .roleRevokePermission:
            let request = try AuthRevokePermissionRequest(protobuf: message)
            propose(
                .roleRevokePermission(request.role, key: request.key, rangeEnd: request.rangeEnd), for: stream)
        default: preconditionFailure("\(method) is not of the auth service")
        }
    }

    private func propose(_ command: AuthCommand, for stream: StreamID) {
        propose(.auth(command), for: stream, takesRoom: false)
    }

    private func ask(_ question: AuthQuestion, for stream: StreamID) {
        reads.reads.append(PendingRead(stream: stream, work: .auth(question)))
    }

    // MARK: Passwords

    private func receiveUserAdd(_ stream: StreamID, _ message: UnsafeRawBufferPointer) throws(WireError) {
        let request = try AuthUserAddRequest(protobuf: message)
        if request.hasNoPassword { return propose(.userAdd(request.name, hash: nil), for: stream) }
        // Before the hashing, which is work that not everybody may cause.
        try requireRoot(stream)
        try hash(request.password, for: stream) { session, hash in
            session.propose(.userAdd(request.name, hash: hash), for: stream)
        }
    }

    private func receiveUserChangePassword(
        _ stream: StreamID, _ message: UnsafeRawBufferPointer
    ) throws(WireError) {
        let request = try AuthChangePasswordRequest(protobuf: message)
        try requireRoot(stream)
        if request.password.isEmpty {
            guard let hash = Base64.decode(request.hashedPassword.utf8, .standard) else {
                throw .refused(.noPasswordUser)
            }
            return propose(.userChangePassword(request.name, hash: hash), for: stream)
        }
        try hash(request.password, for: stream) { session, hash in
            session.propose(.userChangePassword(request.name, hash: hash), for: stream)
        }
    }

    private func hash(
        _ password: [UInt8], for stream: StreamID, done: @escaping @Sendable (Session, [UInt8]) -> Void
    ) throws(WireError) {
        guard password.count <= Bcrypt.passwordBytesMax else {
            // The text and the missing code are those of etcd's library.
            let text = "bcrypt: password length exceeds \(Bcrypt.passwordBytesMax) bytes"
            return finish(stream, EtcdStatus(code: .unknown, message: text))
        }
        let later = onLoop(stream)
        let isTaken = service.passwords.hash(password) { hash in
            later { session in
                if let hash {
                    done(session, hash)
                    session.submit()
                } else {
                    let text = "etcdserver: a password must not have a zero byte"
                    session.finish(stream, EtcdStatus(code: .invalidArgument, message: text))
                }
            }
        }
        if !isTaken { throw .refused(.tooManyRequests) }
    }

    private func authenticate(_ attempt: AuthAttempt) {
        let auth = auth.current
        guard auth.isEnabled else { return refuse(attempt.stream, .authNotEnabled) }
        if service.signedTokens?.scheme.canSign == false {
            // An error of etcd's inside, for which it has no code.
            let text = "auth: token signing attempted with verify-only key"
            return finish(attempt.stream, EtcdStatus(code: .unknown, message: text))
        }
        guard attempt.tryOnce() else { return refuse(attempt.stream, .authRevisionOld) }
        let user = auth.user(attempt.user)
        if let user, user.passwordHash == nil { return refuse(attempt.stream, .noPasswordUser) }
        let later = onLoop(attempt.stream)
        let bound = NIOLoopBound(attempt, eventLoop: loop.eventLoop)
        let isTaken = service.passwords.check(attempt.password, user?.passwordHash) { isRight in
            later { session in session.checked(bound.value, isRight: isRight, at: auth.revision) }
        }
        if !isTaken { refuse(attempt.stream, .tooManyRequests) }
    }

    private func checked(_ attempt: AuthAttempt, isRight: Bool, at revision: UInt64) {
        guard isRight else { return refuse(attempt.stream, .authFailed) }
        // A token that is signed is no business of the other members.
        let prefix = service.signedTokens == nil ? service.newTokenPrefix() : ""
        let command = AuthCommand.authenticate(user: attempt.user, tokenPrefix: prefix, checkedAt: revision)
        // Who is not known yet asks for it; the entry says who that is.
        let call = calls.add(.authentication(attempt))
        proposals.append((Command.auth(command).encoded(service.store.nextProposalID()), origin(of: call)))
        submit()
    }

    /// The entry of an attempt has been applied.
    func authenticated(_ attempt: AuthAttempt, _ answer: Answer) {
        guard streams[attempt.stream] != nil else { return }
        switch answer.outcome {
        case .auth(.authenticate(let user, let prefix, let revision)):
            let header = service.header(revision: answer.revision, term: answer.term)
            if let signedTokens = service.signedTokens {
                sign(header, by: signedTokens, for: user, revision, on: attempt.stream)
            } else {
                let token = AuthDesk.token(prefix: prefix, index: answer.index)
                reply(attempt.stream, Response(header, AuthenticateResponse(token: token)))
            }
        case .refused(.authRevisionOld):
            authenticate(attempt)
            submit()
        case .refused(let error): refuse(attempt.stream, error)
        default: preconditionFailure("an authentication came to \(answer.outcome)")
        }
    }

    private func sign(
        _ header: ResponseHeader, by tokens: SignedTokens, for user: AuthName, _ authRevision: UInt64,
        on stream: StreamID
    ) {
        let later = onLoop(stream)
        let isTaken = service.passwords.run {
            let token = tokens.token(for: user, authRevision: authRevision)
            later { session in
                if let token {
                    session.reply(stream, Response(header, AuthenticateResponse(token: token)))
                } else {
                    session.finish(stream, EtcdStatus(code: .internal, message: "a token could not be signed"))
                }
            }
        }
        if !isTaken { refuse(stream, .tooManyRequests) }
    }

    // MARK: Questions

    func answer(_ question: AuthQuestion, on stream: StreamID) {
        let auth = auth.current
        let header = service.header(revision: service.store.reader.revision)
        switch question {
        case .authenticate(let attempt): authenticate(attempt)
        case .status:
            // Whether there are users is everybody's to know (etcd 3.7), but for who shows a token that is none.
            if let refusal = denial(of: stream, { _, _ in }) { return refuse(stream, refusal) }
            reply(
                stream,
                Response(header, AuthStatusResponse(isEnabled: auth.isEnabled, authRevision: auth.revision)))
        case .userGet(let name):
            guard mayLook(stream, { $0.user == name }) else { return }
            guard let user = auth.user(name) else { return refuse(stream, .userNotFound) }
            reply(stream, Response(header, AuthNamesResponse(names: user.roles)))
        case .userList:
            guard mayLook(stream, { _ in false }) else { return }
            reply(stream, Response(header, AuthNamesResponse(names: auth.allUsers.map(\.name))))
        case .roleGet(let name):
            guard mayLook(stream, { auth.user($0.user)?.roles.contains(name) ?? false }) else { return }
            guard let role = auth.role(name) else { return refuse(stream, .roleNotFound) }
            let permissions = name == .root ? Role.everything : role.permissions
            reply(stream, Response(header, AuthRoleGetResponse(permissions: permissions)))
        case .roleList:
            guard mayLook(stream, { _ in false }) else { return }
            reply(stream, Response(header, AuthNamesResponse(names: auth.allRoles.map(\.name))))
        }
    }

    /// Root may look at everything, others at what is their own.
    private func mayLook(_ stream: StreamID, _ isOwn: (RequestIdentity) -> Bool) -> Bool {
        let refusal = denial(of: stream) { auth, identity throws(StoreError) in
            if let identity, isOwn(identity) { return }
            try auth.requireRoot(identity)
        }
        if let refusal { refuse(stream, refusal) }
        return refusal == nil
    }
}

extension Service {
    private static let tokenLetters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    /// Some 91 bits: too many to guess.
    private static let tokenPrefixLength = 16

    /// A token that nobody can guess, but for the number of its entry.
    func newTokenPrefix() -> String {
        // The system's generator is fit for secrets.
        var random = SystemRandomNumberGenerator()
        return String((0..<Self.tokenPrefixLength).map { _ in Self.tokenLetters.randomElement(using: &random)! })
    }
}
