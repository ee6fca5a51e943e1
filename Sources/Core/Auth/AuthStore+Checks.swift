package import StrakeModel

// Who may do what: etcd's rules, in etcd's order. While authentication is disabled everybody may do everything, so callers
// that are in a hurry ask `isEnabled` first.
extension AuthStore {
    package enum Access: Sendable {
        case reading, writing
    }

    /// Of any user: somebody has to have said who asks.
    package func requireUser(_ identity: RequestIdentity?) throws(StoreError) {
        guard isEnabled else { return }
        guard let identity, !identity.user.isEmpty else { throw .userEmpty }
    }

    /// Of what is neither reading nor writing of keys, and only for who may do everything.
    package func requireRoot(_ identity: RequestIdentity?) throws(StoreError) {
        guard isEnabled else { return }
        try requireUser(identity)
        guard let identity, let user = user(identity.user) else { throw .userNotFound }
        guard user.isRoot else { throw .permissionDenied }
    }

    package func isRoot(_ identity: RequestIdentity?) -> Bool {
        guard isEnabled else { return true }
        return identity.flatMap { user($0.user) }?.isRoot ?? false
    }

    package func require(
        _ access: Access, of range: KeyRange, by identity: RequestIdentity?
    ) throws(StoreError) {
        guard isEnabled else { return }
        guard let identity, identity.authRevision > 0 else { throw .userEmpty }
        guard identity.authRevision >= revision else { throw .authRevisionOld }
        guard let user = user(identity.user) else { throw .permissionDenied }
        if user.isRoot { return }
        guard let allowance = allowances[user.name] else { throw .permissionDenied }
        let keys =
            switch access {
            case .reading: allowance.reading
            case .writing: allowance.writing
            }
        guard keys.covers(range) else { throw .permissionDenied }
    }

    /// - Parameter attached: The keys that hang on a lease.
    package func requirePut(
        _ put: PutRequest, by identity: RequestIdentity?, attached: (LeaseID) throws(StoreError) -> [[UInt8]]
    ) throws(StoreError) {
        try require(.writing, of: .key(put.key), by: identity)
        // A lease takes all of its keys with it: who may not write one of them could not revoke it, so must not hang
        // another key on it either.
        if put.lease != .none { try requireKeys(of: put.lease, .writing, by: identity, attached: attached) }
        if put.wantsPrevious { try require(.reading, of: .key(put.key), by: identity) }
    }

    package func requireDelete(_ delete: DeleteRangeRequest, by identity: RequestIdentity?) throws(StoreError) {
        try require(.writing, of: delete.range, by: identity)
        if delete.wantsPrevious { try require(.reading, of: delete.range, by: identity) }
    }

    /// Every comparison and both branches, at any depth, whichever of them will be carried out: else the answer would tell
    /// something of keys that may not be read.
    package func requireTxn(
        _ txn: TxnRequest, by identity: RequestIdentity?, attached: (LeaseID) throws(StoreError) -> [[UInt8]]
    ) throws(StoreError) {
        for comparison in txn.compare { try require(.reading, of: comparison.range, by: identity) }
        for operation in txn.success + txn.failure {
            switch operation {
            case .range(let range): try require(.reading, of: range.range, by: identity)
            case .put(let put): try requirePut(put, by: identity, attached: attached)
            case .deleteRange(let delete): try requireDelete(delete, by: identity)
            case .txn(let inner): try requireTxn(inner, by: identity, attached: attached)
            }
        }
    }

    /// Access to each of the keys that hang on a lease. Of one without keys every user may do anything.
    package func requireKeys(
        of lease: LeaseID, _ access: Access, by identity: RequestIdentity?,
        attached: (LeaseID) throws(StoreError) -> [[UInt8]]
    ) throws(StoreError) {
        if isRoot(identity) { return }
        for key in try attached(lease) { try require(access, of: .key(key), by: identity) }
    }
}
