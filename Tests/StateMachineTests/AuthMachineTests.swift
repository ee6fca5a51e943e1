import StrakeAuth
import StrakeLMDB
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeStateMachine
import StrakeTables
import Testing

@Suite struct AuthMachineTests {
    private static let lease = LeaseID(rawValue: 5)

    private final class Client {
        let machine: Machine
        private var index = Machine.founding.last.index.rawValue

        init() throws { machine = try Machine() }

        /// Applies a command; nil: it was carried out.
        @discardableResult
        func apply(_ command: Command, as user: AuthName? = nil, authRevision: UInt64? = nil) throws -> StoreError? {
            index += 1
            let revision = authRevision ?? machine.machine.auth.revision
            let identity = user.map { RequestIdentity(user: $0, authRevision: revision) }
            let outcome = try machine.machine.apply(Entry(index, command, as: identity))
            machine.machine.store.publish()
            if case .refused(let error)? = outcome { return error }
            return nil
        }
    }

    /// Root, and a user who may write "a" and read up to "d"; one lease with a key of root's.
    private func client() throws -> Client {
        let client = try Client()
        let commands: [AuthCommand] = [
            .userAdd(.root, hash: [1]), .userGrantRole(.root, role: .root), .userAdd(AuthName("u"), hash: [2]),
            .roleAdd(AuthName("r")), .userGrantRole(AuthName("u"), role: AuthName("r")),
            .roleGrantPermission(
                AuthName("r"), Permission(kind: Permission.read, key: "a".bytes, rangeEnd: "d".bytes)),
            .roleGrantPermission(AuthName("r"), Permission(kind: Permission.write, key: "a".bytes)), .enable,
        ]
        #expect(try client.apply(.leaseGrant(id: Self.lease, ttlSeconds: 100)) == nil)
        #expect(try client.apply(put("secret", lease: Self.lease)) == nil)
        for command in commands { #expect(try client.apply(.auth(command)) == nil) }
        return client
    }

    private func put(_ key: String, lease: LeaseID = .none) -> Command {
        .put(PutRequest(key: key.bytes, value: [1], lease: lease))
    }

    @Test func `entries say who asks, and are refused when that is not enough`() throws {
        let client = try client()
        let user = AuthName("u")
        let root = AuthName.root
        let delete = Command.deleteRange(DeleteRangeRequest(range: .all))
        let table: [(Command, user: StoreError?, nobody: StoreError?)] = [
            (put("a"), nil, .userEmpty), (put("b"), .permissionDenied, .userEmpty),
            (put("a", lease: Self.lease), .permissionDenied, .userEmpty),
            (put("a", lease: LeaseID(rawValue: 6)), .leaseNotFound, .userEmpty),
            (delete, .permissionDenied, .userEmpty),
            (.deleteRange(DeleteRangeRequest(range: .key("a".bytes))), nil, .userEmpty),
            (.txn(TxnRequest(success: [.put(PutRequest(key: "b".bytes, value: []))])), .permissionDenied, .userEmpty),
            (.txn(TxnRequest(failure: [.put(PutRequest(key: "b".bytes, value: []))])), .permissionDenied, .userEmpty),
            (.compact(revision: 1, physical: false), .permissionDenied, .userEmpty),
            (.leaseRevoke(Self.lease), .permissionDenied, .userEmpty),
            (.leaseRevoke(LeaseID(rawValue: 6)), .leaseNotFound, .userEmpty),
            (.alarm(AlarmCommand(action: .activate, member: 1, alarm: 7)), .permissionDenied, nil),
            (.alarm(AlarmCommand(action: .get, member: 0, alarm: 0)), nil, nil),
            (.auth(.roleAdd(AuthName("x"))), .permissionDenied, .userEmpty),
            (.auth(.disable), .permissionDenied, .userEmpty),
            (.auth(.enable), .permissionDenied, .userEmpty),
        ]
        for (command, asUser, asNobody) in table {
            #expect(try client.apply(command) == asNobody, "\(command)")
            #expect(try client.apply(command, as: user) == asUser, "\(command)")
        }
        #expect(try client.apply(.leaseGrant(id: LeaseID(rawValue: 9), ttlSeconds: 10)) == .userEmpty)
        #expect(try client.apply(.leaseGrant(id: LeaseID(rawValue: 9), ttlSeconds: 10), as: user) == nil)
        let old = client.machine.machine.auth.revision
        #expect(try client.apply(.auth(.roleAdd(AuthName("x"))), as: root) == nil)
        #expect(try client.apply(put("a"), as: user, authRevision: old) == .authRevisionOld)
        #expect(try client.apply(put("a"), as: root, authRevision: old) == .authRevisionOld)
        #expect(try client.apply(put("a"), as: user) == nil)
        // What members do of their own accord is nobody's.
        #expect(try client.apply(.leaseExpire(ids: [Self.lease], term: 1)) == nil)
        #expect(try client.apply(.leaseCheckpoint([])) == nil)
        #expect(try client.apply(.auth(.disable), as: root) == nil)
        #expect(try client.apply(delete) == nil)
    }

    @Test func `a client that says no name raises no alarm, whoever let it come so far`() throws {
        let client = try client()
        let nobody = RequestIdentity.nobody
        for action in [AlarmCommand.Action.activate, .deactivate] {
            let alarm = Command.alarm(AlarmCommand(action: action, member: 1, alarm: AlarmMember.corrupt))
            let refusal = try client.apply(alarm, as: nobody.user, authRevision: nobody.authRevision)
            #expect(refusal == .userEmpty)
        }
        #expect(try client.apply(put("a"), as: AuthName("u")) == nil)
    }

    @Test func `an alarm is told of ahead of a missing permission`() throws {
        let client = try client()
        #expect(try client.apply(.alarm(AlarmCommand(action: .activate, member: 1, alarm: 1))) == nil)
        #expect(try client.apply(put("b"), as: AuthName("u")) == .noSpace)
        #expect(try client.apply(.leaseRevoke(Self.lease), as: AuthName("u")) == .permissionDenied)
    }

    @Test func `users and roles outlive restarts, and go along to other members`() throws {
        let client = try client()
        let machine = client.machine
        let (digest, revision) = (machine.digest, machine.machine.auth.revision)
        #expect(machine.machine.auth.digest != 0)
        try machine.checkpoint()
        try machine.restart()
        #expect(machine.digest == digest && machine.machine.auth.isEnabled)
        let other = try Machine()
        try other.install(from: machine, pieceBytes: 7)
        #expect(other.digest == digest)
        for copy in [machine, other] {
            let auth = copy.machine.auth
            #expect(auth.isEnabled && auth.revision == revision)
            #expect(auth.user(AuthName("u"))?.roles == [AuthName("r")])
            #expect(auth.role(AuthName("r"))?.permissions.count == 2)
            let next = copy.applied + 1
            let outcome = try copy.machine.apply(Entry(next.rawValue, put("b")))
            guard case .refused(.userEmpty)? = outcome else {
                Issue.record("a member that was copied lets everybody write: \(String(describing: outcome))")
                return
            }
        }
    }

    @Test func `what is taken away goes from the file too`() throws {
        let client = try client()
        let (machine, user, role) = (client.machine, AuthName("u"), AuthName("r"))
        try machine.checkpoint()
        #expect(try client.apply(.auth(.userDelete(user)), as: .root) == nil)
        #expect(try client.apply(.auth(.roleDelete(role)), as: .root) == nil)
        #expect(try client.apply(.auth(.disable), as: .root) == nil)
        try machine.checkpoint()
        try machine.restart()
        #expect(machine.machine.auth.user(user) == nil && machine.machine.auth.role(role) == nil)
        #expect(!machine.machine.auth.isEnabled && machine.machine.auth.user(.root) != nil)
    }

    @Test func `a record of a user that was not written so is damage`() throws {
        let client = try client()
        let machine = client.machine
        try machine.checkpoint()
        try machine.tables.environment.write { txn throws(TableError) in
            try machine.tables.state.put("auth/user/x".bytes, [1, 2, 3], in: txn)
        }
        #expect(throws: StateMachineError.self) { try machine.restart() }
    }
}
