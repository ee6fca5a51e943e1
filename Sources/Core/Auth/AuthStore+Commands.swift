package import StrakeModel

// Changes of users, roles and permissions: etcd's rules, in etcd's order. Refused ones change nothing. Who may make them is
// checked before.
extension AuthStore {
    package mutating func apply(_ command: AuthCommand) throws(StoreError) {
        switch command {
        case .enable: try enable()
        case .disable:
            guard isEnabled else { return }
            setEnabled(false)
            countRevision()
        case .authenticate(let user, _, let checkedAt): try checkAuthenticated(user, at: checkedAt)
        case .userAdd(let name, let hash): try addUser(name, hash: hash)
        case .userDelete(let name): try deleteUser(name)
        case .userChangePassword(let name, let hash): try changePassword(of: name, hash: hash)
        case .userGrantRole(let user, let role): try grant(role, to: user)
        case .userRevokeRole(let user, let role): try revoke(role, from: user)
        case .roleAdd(let name):
            guard !name.isEmpty else { throw .roleEmpty }
            guard !name.isTooLong else { throw .authNameTooLong }
            guard role(name) == nil else { throw .roleExists }
            set(Role(name: name))
            countRevision()
        case .roleDelete(let name): try deleteRole(name)
        case .roleGrantPermission(let name, let permission): try grant(permission, to: name)
        case .roleRevokePermission(let name, let key, let rangeEnd): try revoke(key, rangeEnd, from: name)
        }
    }

    private mutating func enable() throws(StoreError) {
        if isEnabled { return }
        guard let root = user(.root) else { throw .rootUserMissing }
        guard root.isRoot else { throw .rootRoleMissing }
        setEnabled(true)
    }

    /// The password was right at an auth revision; it may have been changed since, or the user may be gone.
    private func checkAuthenticated(_ name: AuthName, at checked: UInt64) throws(StoreError) {
        guard isEnabled else { throw .authNotEnabled }
        guard checked == revision else { throw .authRevisionOld }
        guard let user = user(name), user.passwordHash != nil else { throw .authFailed }
    }

    private mutating func addUser(_ name: AuthName, hash: [UInt8]?) throws(StoreError) {
        guard !name.isEmpty else { throw .userEmpty }
        guard !name.isTooLong else { throw .authNameTooLong }
        guard user(name) == nil else { throw .userExists }
        set(User(name: name, passwordHash: hash))
        countRevision()
    }

    private mutating func deleteUser(_ name: AuthName) throws(StoreError) {
        if isEnabled, name == .root { throw .invalidAuthManagement }
        guard user(name) != nil else { throw .userNotFound }
        remove(user: name)
        countRevision()
    }

    private mutating func changePassword(of name: AuthName, hash: [UInt8]) throws(StoreError) {
        guard var user = user(name) else { throw .userNotFound }
        // One without a password does not get one, and hears nothing of it.
        if user.passwordHash != nil { user.passwordHash = hash }
        set(user)
        countRevision()
    }

    private mutating func grant(_ role: AuthName, to name: AuthName) throws(StoreError) {
        guard var user = user(name) else { throw .userNotFound }
        guard role == .root || self.role(role) != nil else { throw .roleNotFound }
        if user.roles.contains(role) { return }
        user.roles.append(role)
        user.roles.sort()
        set(user)
        countRevision()
    }

    private mutating func revoke(_ role: AuthName, from name: AuthName) throws(StoreError) {
        if isEnabled, name == .root, role == .root { throw .invalidAuthManagement }
        guard var user = user(name) else { throw .userNotFound }
        guard let position = user.roles.firstIndex(of: role) else { throw .roleNotGranted }
        user.roles.remove(at: position)
        set(user)
        countRevision()
    }

    private mutating func deleteRole(_ name: AuthName) throws(StoreError) {
        if isEnabled, name == .root { throw .invalidAuthManagement }
        guard role(name) != nil else { throw .roleNotFound }
        remove(role: name)
        for var user in allUsers where user.roles.contains(name) {
            user.roles.removeAll { $0 == name }
            set(user)
        }
        countRevision()
    }

    private mutating func grant(_ permission: Permission, to name: AuthName) throws(StoreError) {
        guard permission.isValid else { throw .invalidAuthManagement }
        guard var role = role(name) else { throw .roleNotFound }
        role.grant(permission)
        set(role)
        countRevision()
    }

    private mutating func revoke(_ key: [UInt8], _ rangeEnd: [UInt8], from name: AuthName) throws(StoreError) {
        guard var role = role(name) else { throw .roleNotFound }
        guard role.revoke(key: key, rangeEnd: rangeEnd) else { throw .permissionNotGranted }
        set(role)
        countRevision()
    }
}
