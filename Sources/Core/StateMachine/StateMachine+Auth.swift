internal import StrakeAuth
internal import StrakeChecksum
internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel

// Who may have what done.
extension StateMachine {
    /// Why the command is not carried out for who asks; nil: it is. Asked only while authentication is enabled.
    mutating func denial(of command: Command, for identity: RequestIdentity?) throws(MVCCError) -> StoreError? {
        var attached = try attachedKeys(of: command, for: identity)
        // Once for a lease: what a transaction hangs on it is refused or allowed by the same keys each time.
        func keys(of lease: LeaseID) -> [[UInt8]] { attached.removeValue(forKey: lease) ?? [] }
        let auth = self.auth
        do throws(StoreError) {
            switch command {
            case .put(let put): try auth.requirePut(put, by: identity, attached: keys)
            case .deleteRange(let delete): try auth.requireDelete(delete, by: identity)
            case .txn(let txn): try auth.requireTxn(txn, by: identity, attached: keys)
            case .compact: try auth.requireRoot(identity)
            case .leaseGrant: try auth.requireUser(identity)
            case .leaseRevoke(let lease):
                try auth.requireUser(identity)
                try auth.requireKeys(of: lease, .writing, by: identity, attached: keys)
            case .alarm(let alarm):
                // Members raise alarms of their own accord; a client's request has an identity, if only nobody's.
                if alarm.action != .get, identity != nil { try auth.requireRoot(identity) }
            case .auth(.authenticate): break
            case .auth: try auth.requireRoot(identity)
            case .leaseExpire, .leaseCheckpoint, .setMember: break
            }
        } catch {
            return error
        }
        return nil
    }

    /// Of the leases that the command touches, if it matters what hangs on them.
    private mutating func attachedKeys(
        of command: Command, for identity: RequestIdentity?
    ) throws(MVCCError) -> [LeaseID: [[UInt8]]] {
        if auth.isRoot(identity) { return [:] }
        var keys: [LeaseID: [[UInt8]]] = [:]
        for lease in command.touchedLeases where keys[lease] == nil && lessor.contains(lease) {
            keys[lease] = try store.keys(attachedTo: lease)
        }
        return keys
    }
}

extension Command {
    /// Those that keys are hung on, or that are to end.
    fileprivate var touchedLeases: [LeaseID] {
        switch self {
        case .put(let put): put.lease == .none ? [] : [put.lease]
        case .txn(let txn): txn.touchedLeases
        case .leaseRevoke(let lease): [lease]
        case .deleteRange, .compact, .leaseGrant, .leaseExpire, .leaseCheckpoint, .alarm, .setMember, .auth: []
        }
    }
}

extension TxnRequest {
    fileprivate var touchedLeases: [LeaseID] {
        (success + failure).flatMap { operation -> [LeaseID] in
            switch operation {
            case .put(let put): put.lease == .none ? [] : [put.lease]
            case .txn(let inner): inner.touchedLeases
            case .range, .deleteRange: []
            }
        }
    }
}

// MARK: Rows

extension StateRecords {
    static let authPrefix = Array("auth/".utf8)
    static let authHeadKey = Array("auth/head".utf8)
    private static let userPrefix = Array("auth/user/".utf8)
    private static let rolePrefix = Array("auth/role/".utf8)

    /// Names may be longer than keys of the table can be, so it is their SHA-256 that stands there.
    static func key(ofUser name: AuthName) -> [UInt8] { userPrefix + hash(name) }
    static func key(ofRole name: AuthName) -> [UInt8] { rolePrefix + hash(name) }

    private static func hash(_ name: AuthName) -> [UInt8] {
        var hash = SHA256()
        hash.add(name.utf8)
        return hash.value
    }

    /// Every row that a store of users and roles consists of.
    static func rows(of auth: AuthStore) -> [StateChange] {
        if auth.isPristine { return [] }
        let head = AuthRecord.encodeHead(isEnabled: auth.isEnabled, revision: auth.revision)
        return [StateChange(key: authHeadKey, value: head)]
            + auth.allUsers.map { StateChange(key: key(ofUser: $0.name), value: AuthRecord.encode($0)) }
            + auth.allRoles.map { StateChange(key: key(ofRole: $0.name), value: AuthRecord.encode($0)) }
    }

    /// The rows that have changed.
    static func rows(of changes: AuthChanges, in auth: AuthStore) -> [StateChange] {
        var rows: [StateChange] = []
        if changes.head {
            let head = AuthRecord.encodeHead(isEnabled: auth.isEnabled, revision: auth.revision)
            rows.append(StateChange(key: authHeadKey, value: head))
        }
        for name in changes.users.sorted() {
            rows.append(StateChange(key: key(ofUser: name), value: auth.user(name).map(AuthRecord.encode)))
        }
        for name in changes.roles.sorted() {
            rows.append(StateChange(key: key(ofRole: name), value: auth.role(name).map(AuthRecord.encode)))
        }
        return rows
    }

    /// What the rows under `authPrefix` make.
    static func auth(from rows: [(key: [UInt8], value: [UInt8])]) throws(StateMachineError) -> AuthStore {
        if rows.isEmpty { return AuthStore() }
        var head: (isEnabled: Bool, revision: UInt64)?
        var users: [User] = []
        var roles: [Role] = []
        for (key, value) in rows {
            if key == authHeadKey, let decoded = AuthRecord.decodeHead(value) {
                head = decoded
            } else if key.starts(with: userPrefix), let user = AuthRecord.decodeUser(value),
                key == Self.key(ofUser: user.name)
            {
                users.append(user)
            } else if key.starts(with: rolePrefix), let role = AuthRecord.decodeRole(value),
                key == Self.key(ofRole: role.name)
            {
                roles.append(role)
            } else {
                throw .malformedRow(key: key)
            }
        }
        // Users without a head would be a store that has lost whether it is enabled.
        guard let head else { throw .malformedRow(key: authHeadKey) }
        return AuthStore(isEnabled: head.isEnabled, revision: head.revision, users: users, roles: roles)
    }
}
