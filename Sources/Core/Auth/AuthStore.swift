package import StrakeModel

/// Users, roles and what they may do: part of the replicated state, the same on every member.
package struct AuthStore: Sendable {
    /// What all of a user's roles allow, put together when a role changes and not when somebody asks.
    struct Allowance: Hashable, Sendable {
        var reading: KeySet
        var writing: KeySet
    }

    package private(set) var isEnabled = false
    /// One higher with every change that a token could have been given before.
    package private(set) var revision: UInt64 = Self.firstRevision
    private(set) var users: [AuthName: User] = [:]
    private(set) var roles: [AuthName: Role] = [:]
    /// Of each user.
    private(set) var allowances: [AuthName: Allowance] = [:]
    /// Of the users and roles: the sum of theirs.
    private var namesDigest: UInt64 = 0
    private var changes = AuthChanges()

    /// etcd's, of a store in which nothing was ever changed.
    package static let firstRevision: UInt64 = 1

    package init() {}

    /// From the store's records.
    package init(isEnabled: Bool, revision: UInt64, users: [User], roles: [Role]) {
        self.isEnabled = isEnabled
        self.revision = max(revision, Self.firstRevision)
        for role in roles { set(role) }
        for user in users { set(user) }
        changes = AuthChanges()
    }

    /// Nothing was ever changed.
    package var isPristine: Bool { revision == Self.firstRevision && !isEnabled && users.isEmpty && roles.isEmpty }

    /// Of all of it. Zero for one that is as new, so that members agree who do not know of users yet.
    package var digest: UInt64 {
        if isPristine { return 0 }
        var digest = Digest()
        digest.add(revision, isEnabled ? 1 : 0)
        digest.add(namesDigest, 0)
        return digest.value
    }

    package func user(_ name: AuthName) -> User? { users[name] }

    package func role(_ name: AuthName) -> Role? { roles[name] }

    /// By name.
    package var allUsers: [User] { users.values.sorted { $0.name < $1.name } }

    /// By name.
    package var allRoles: [Role] { roles.values.sorted { $0.name < $1.name } }

    /// What the store has to write since the last call.
    package mutating func takeChanges() -> AuthChanges {
        defer { changes = AuthChanges() }
        return changes
    }

    // MARK: Writing

    mutating func setEnabled(_ isEnabled: Bool) {
        self.isEnabled = isEnabled
        changes.head = true
    }

    mutating func countRevision() {
        revision += 1
        changes.head = true
    }

    mutating func set(_ user: User) {
        remove(user: user.name)
        users[user.name] = user
        namesDigest &+= AuthRecord.digest(of: AuthRecord.encode(user))
        allowances[user.name] = allowance(of: user)
    }

    mutating func remove(user name: AuthName) {
        changes.users.insert(name)
        guard let old = users.removeValue(forKey: name) else { return }
        namesDigest &-= AuthRecord.digest(of: AuthRecord.encode(old))
        allowances[name] = nil
    }

    mutating func set(_ role: Role) {
        remove(role: role.name)
        roles[role.name] = role
        namesDigest &+= AuthRecord.digest(of: AuthRecord.encode(role))
        for user in users.values where user.roles.contains(role.name) { allowances[user.name] = allowance(of: user) }
    }

    /// The role of that name; users who have it keep it.
    mutating func remove(role name: AuthName) {
        changes.roles.insert(name)
        guard let old = roles.removeValue(forKey: name) else { return }
        namesDigest &-= AuthRecord.digest(of: AuthRecord.encode(old))
    }

    private func allowance(of user: User) -> Allowance {
        let permissions = user.roles.flatMap { roles[$0]?.permissions ?? [] }
        return Allowance(
            reading: KeySet(permissions.filter(\.allowsReading).map(\.range)),
            writing: KeySet(permissions.filter(\.allowsWriting).map(\.range)))
    }
}

/// Which records have changed.
package struct AuthChanges: Hashable, Sendable {
    /// Whether it is enabled, and the revision.
    package internal(set) var head = false
    package internal(set) var users: Set<AuthName> = []
    package internal(set) var roles: Set<AuthName> = []

    package init() {}
}
