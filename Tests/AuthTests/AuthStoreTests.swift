import StrakeAuth
import StrakeModel
import Testing

@Suite struct AuthStoreTests {
    private static let long = AuthName(utf8: [UInt8](repeating: 0x61, count: AuthName.bytesMax + 1))

    /// Root, and a user with a role that reads one range and writes a key of it.
    private func enabled() throws -> AuthStore {
        var store = AuthStore()
        let commands: [AuthCommand] = [
            .roleAdd("r"), .roleGrantPermission("r", Permission(kind: Permission.read, key: [1], rangeEnd: [5])),
            .roleGrantPermission("r", Permission(kind: Permission.readWrite, key: [7])),
            .roleAdd("w"), .roleGrantPermission("w", Permission(kind: Permission.write, key: [2])),
            .userAdd(.root, hash: [1]), .userGrantRole(.root, role: .root), .userAdd("u", hash: [2]),
            .userGrantRole("u", role: "w"), .userGrantRole("u", role: "r"), .userAdd("none", hash: nil), .enable,
        ]
        for command in commands { try store.apply(command) }
        return store
    }

    private func identity(_ user: AuthName, _ store: AuthStore) -> RequestIdentity {
        RequestIdentity(user: user, authRevision: store.revision)
    }

    private func error(_ body: () throws(StoreError) -> Void) -> StoreError? {
        do throws(StoreError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "what cannot be changed is refused as etcd refuses it, and changes nothing",
        arguments: [
            (.userAdd("", hash: [1]), .userEmpty), (.userAdd(Self.long, hash: [1]), .authNameTooLong),
            (.userAdd("u", hash: [1]), .userExists),
            (.userDelete("x"), .userNotFound), (.userDelete(.root), .invalidAuthManagement),
            (.userChangePassword("x", hash: []), .userNotFound),
            (.userGrantRole("x", role: "r"), .userNotFound), (.userGrantRole("u", role: "x"), .roleNotFound),
            (.userRevokeRole("x", role: "r"), .userNotFound), (.userRevokeRole("none", role: "r"), .roleNotGranted),
            (.userRevokeRole(.root, role: .root), .invalidAuthManagement),
            (.roleAdd(""), .roleEmpty), (.roleAdd(Self.long), .authNameTooLong),
            (.roleAdd("r"), .roleExists), (.roleDelete("x"), .roleNotFound),
            (.roleDelete(.root), .invalidAuthManagement),
            (.roleGrantPermission("x", Permission(kind: 0, key: [1])), .roleNotFound),
            (.roleGrantPermission("r", Permission(kind: 0, key: [])), .invalidAuthManagement),
            (.roleGrantPermission("r", Permission(kind: 0, key: [2], rangeEnd: [1])), .invalidAuthManagement),
            (.roleGrantPermission("r", Permission(kind: 0, key: [2], rangeEnd: [2])), .invalidAuthManagement),
            (.roleRevokePermission("x", key: [1], rangeEnd: []), .roleNotFound),
            (.roleRevokePermission("r", key: [1], rangeEnd: []), .permissionNotGranted),
            (.authenticate(user: "x", tokenPrefix: "t", checkedAt: 12), .authFailed),
            (.authenticate(user: "none", tokenPrefix: "t", checkedAt: 12), .authFailed),
            (.authenticate(user: "u", tokenPrefix: "t", checkedAt: 11), .authRevisionOld),
        ] as [(AuthCommand, StoreError)])
    func refusals(command: AuthCommand, expected: StoreError) throws {
        var store = try enabled()
        #expect(store.revision == 12)
        let before = store.digest
        _ = store.takeChanges()
        #expect(error { () throws(StoreError) in try store.apply(command) } == expected)
        #expect(store.revision == 12 && store.digest == before && store.takeChanges() == AuthChanges())
    }

    @Test func `authentication is enabled only once there is a root who may do everything`() throws {
        var store = AuthStore()
        #expect(error { () throws(StoreError) in try store.apply(.enable) } == .rootUserMissing)
        try store.apply(.userAdd(.root, hash: [1]))
        #expect(error { () throws(StoreError) in try store.apply(.enable) } == .rootRoleMissing)
        // The role of that name need not be there to be given.
        try store.apply(.userGrantRole(.root, role: .root))
        let revision = store.revision
        try store.apply(.enable)
        try store.apply(.enable)
        #expect(store.isEnabled && store.revision == revision)
        try store.apply(.disable)
        try store.apply(.disable)
        #expect(!store.isEnabled && store.revision == revision + 1)
    }

    @Test func `what is there already is granted again without a change`() throws {
        var store = try enabled()
        try store.apply(.userGrantRole("u", role: "r"))
        #expect(store.revision == 12)
        // A permission for the same range takes the place of the one before.
        try store.apply(.roleGrantPermission("r", Permission(kind: Permission.write, key: [1], rangeEnd: [5])))
        #expect(store.role("r")?.permissions.count == 2)
        #expect(
            error { () throws(StoreError) in
                try store.require(.reading, of: .key([1]), by: identity("u", store))
            } == .permissionDenied)
    }

    @Test func `a role that goes takes with it what it allowed`() throws {
        var store = try enabled()
        try store.apply(.roleDelete("r"))
        #expect(store.user("u")?.roles == ["w"])
        let user = identity("u", store)
        #expect(
            error { () throws(StoreError) in try store.require(.reading, of: .key([7]), by: user) }
                == .permissionDenied)
        try store.require(.writing, of: .key([2]), by: user)
        // A new role of the old name is another one.
        try store.apply(.roleAdd("r"))
        #expect(store.user("u")?.roles == ["w"])
    }

    @Test func `who asks decides, and when it was found out`() throws {
        var store = try enabled()
        func check(_ identity: RequestIdentity?, _ key: UInt8, _ access: AuthStore.Access) -> StoreError? {
            error { () throws(StoreError) in try store.require(access, of: .key([key]), by: identity) }
        }
        #expect(check(nil, 1, .reading) == .userEmpty)
        #expect(check(identity("x", store), 1, .reading) == .permissionDenied)
        #expect(check(identity("u", store), 1, .reading) == nil)
        #expect(check(identity("u", store), 1, .writing) == .permissionDenied)
        #expect(check(identity("u", store), 2, .writing) == nil)
        #expect(check(identity("none", store), 1, .reading) == .permissionDenied)
        let old = (root: identity(.root, store), user: identity("u", store))
        try store.apply(.roleAdd("new"))
        // Root's are no newer than others'.
        #expect(check(old.root, 1, .reading) == .authRevisionOld)
        #expect(check(old.user, 1, .reading) == .authRevisionOld)
        #expect(check(identity(.root, store), 9, .writing) == nil)
        try store.apply(.disable)
        #expect(check(nil, 9, .writing) == nil)
    }

    @Test func `only who has the role of root may change users and roles`() throws {
        var store = try enabled()
        func root(_ identity: RequestIdentity?) -> StoreError? {
            error { () throws(StoreError) in try store.requireRoot(identity) }
        }
        #expect(root(nil) == .userEmpty)
        #expect(root(identity("x", store)) == .userNotFound)
        #expect(root(identity("u", store)) == .permissionDenied)
        #expect(root(identity(.root, store)) == nil)
        try store.apply(.userGrantRole("u", role: .root))
        #expect(root(identity("u", store)) == nil)
    }

    @Test func `a transaction is allowed only if all of it is, whichever branch is taken`() throws {
        let store = try enabled()
        let user = identity("u", store)
        func check(_ txn: TxnRequest, _ attached: [[UInt8]] = []) -> StoreError? {
            error { () throws(StoreError) in try store.requireTxn(txn, by: user) { _ in attached } }
        }
        func compare(_ key: UInt8) -> Compare {
            Compare(range: .key([key]), result: .equal, target: .version(0))
        }
        func put(_ key: UInt8, _ change: (inout PutRequest) -> Void = { _ in }) -> RequestOp {
            var put = PutRequest(key: [key], value: [])
            change(&put)
            return .put(put)
        }
        func delete(_ key: UInt8, wantsPrevious: Bool) -> RequestOp {
            var delete = DeleteRangeRequest(range: .key([key]))
            delete.wantsPrevious = wantsPrevious
            return .deleteRange(delete)
        }
        let read = RequestOp.range(RangeRequest(range: .key([3])))
        let secret = RequestOp.range(RangeRequest(range: .key([9])))
        #expect(check(TxnRequest()) == nil)
        #expect(check(TxnRequest(compare: [compare(1)], success: [put(7)], failure: [read])) == nil)
        #expect(check(TxnRequest(compare: [compare(9)])) == .permissionDenied)
        #expect(check(TxnRequest(failure: [put(3)])) == .permissionDenied)
        #expect(check(TxnRequest(success: [.txn(TxnRequest(failure: [secret]))])) == .permissionDenied)
        #expect(check(TxnRequest(success: [.txn(TxnRequest(compare: [compare(9)]))])) == .permissionDenied)
        // Key 2 can be written and read, of key 7 both, of no other.
        #expect(check(TxnRequest(success: [put(7) { $0.wantsPrevious = true }])) == nil)
        #expect(check(TxnRequest(success: [delete(7, wantsPrevious: true), delete(2, wantsPrevious: false)])) == nil)
        // Whose lease has a key that may not be written gets no other key.
        let leased = TxnRequest(success: [put(7) { $0.lease = LeaseID(rawValue: 1) }])
        #expect(check(leased, [[7], [2]]) == nil)
        #expect(check(leased, [[7], [3]]) == .permissionDenied)
    }

    @Test func `the value before is read by who gets it`() throws {
        var store = try enabled()
        try store.apply(.userRevokeRole("u", role: "r"))
        let user = identity("u", store)
        var put = PutRequest(key: [2], value: [])
        try store.requirePut(put, by: user) { _ in [] }
        put.wantsPrevious = true
        #expect(
            error { () throws(StoreError) in try store.requirePut(put, by: user) { _ in [] } }
                == .permissionDenied)
        var delete = DeleteRangeRequest(range: .key([2]))
        try store.requireDelete(delete, by: user)
        delete.wantsPrevious = true
        #expect(error { () throws(StoreError) in try store.requireDelete(delete, by: user) } == .permissionDenied)
    }

    @Test func `names that look alike are two names`() throws {
        var store = AuthStore()
        let (composed, decomposed) = (AuthName("\u{e9}"), AuthName("e\u{301}"))
        #expect("\u{e9}" == "e\u{301}")
        try store.apply(.userAdd(composed, hash: [1]))
        #expect(store.user(decomposed) == nil)
        try store.apply(.userAdd(decomposed, hash: [2]))
        #expect(store.allUsers.map(\.name) == [decomposed, composed])
    }

    @Test func `records come back as they were, and no others do`() throws {
        var store = try enabled()
        try store.apply(.userAdd(AuthName(String(repeating: "n", count: 5_000)), hash: nil))
        for user in store.allUsers {
            let record = AuthRecord.encode(user)
            #expect(AuthRecord.decodeUser(record) == user)
            #expect(AuthRecord.decodeUser(record + [0]) == nil)
            #expect(AuthRecord.decodeUser(Array(record.dropLast())) == nil)
            #expect(AuthRecord.decodeUser([2] + record.dropFirst()) == nil)
        }
        for role in store.allRoles {
            let record = AuthRecord.encode(role)
            #expect(AuthRecord.decodeRole(record) == role)
            #expect(AuthRecord.decodeRole(record + [0]) == nil)
            #expect(AuthRecord.decodeRole(Array(record.dropLast())) == nil)
        }
        let head = AuthRecord.encodeHead(isEnabled: true, revision: 77)
        #expect(AuthRecord.decodeHead(head).map { $0.isEnabled && $0.revision == 77 } == true)
        #expect(AuthRecord.decodeHead(AuthRecord.encodeHead(isEnabled: true, revision: 0)) == nil)
        let copy = AuthStore(
            isEnabled: store.isEnabled, revision: store.revision, users: store.allUsers, roles: store.allRoles)
        #expect(copy.digest == store.digest && !copy.isPristine && AuthStore().digest == 0)
    }
}
