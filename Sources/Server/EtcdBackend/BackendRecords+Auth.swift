internal import StrakeAuth
internal import StrakeEtcdWire
internal import StrakeModel

// Users and roles in etcd's buckets:
//
//     auth         authEnabled: 1 byte; authRevision: 8 bytes
//     authUsers    name -> authpb.User
//     authRoles    name -> authpb.Role
extension BackendRecords {
    enum AuthHead {
        case enabled(Bool)
        case revision(UInt64)
        case other
    }

    private static let enabledKey = Array("authEnabled".utf8)
    private static let revisionKey = Array("authRevision".utf8)
    /// No etcd comes so far: a change counts it on by one.
    private static let authRevisionMax: UInt64 = 1 << 62

    static func authHead(_ auth: AuthStore) -> [BackendEntry] {
        if auth.isPristine { return [] }
        return [(enabledKey, [auth.isEnabled ? 1 : 0]), (revisionKey, bytes(auth.revision))]
    }

    /// Nil for what no etcd writes.
    static func authHead(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> AuthHead? {
        if key.elementsEqual(enabledKey) {
            return value.count == 1 && value[0] <= 1 ? .enabled(value[0] == 1) : nil
        }
        guard key.elementsEqual(revisionKey) else { return .other }
        guard value.count == 8 else { return nil }
        let revision = UInt64(bigEndian: value.loadUnaligned(as: UInt64.self))
        return revision < authRevisionMax ? .revision(revision) : nil
    }

    static func user(_ user: User) -> BackendEntry {
        var stored = StoredUser()
        stored.name = user.name
        stored.password = user.passwordHash ?? []
        stored.roles = user.roles
        stored.hasNoPassword = user.passwordHash == nil
        return (user.name.utf8, stored.encoded())
    }

    static func user(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> User? {
        guard let stored = try? StoredUser(protobuf: value), stored.name.isName, key.elementsEqual(stored.name.utf8)
        else { return nil }
        return User(
            name: stored.name, passwordHash: stored.hasNoPassword ? nil : stored.password,
            roles: Set(stored.roles).sorted())
    }

    static func role(_ role: Role) -> BackendEntry {
        var stored = StoredRole()
        stored.name = role.name
        stored.permissions = role.permissions
        return (role.name.utf8, stored.encoded())
    }

    static func role(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Role? {
        guard let stored = try? StoredRole(protobuf: value), stored.name.isName, key.elementsEqual(stored.name.utf8)
        else { return nil }
        return Role(name: stored.name, permissions: stored.permissions)
    }
}
