/// What a role allows on a range of keys, in the form that it was given in and is shown in.
package struct Permission: Hashable, Sendable {
    /// etcd's number; others are kept as they came, and allow nothing.
    package var kind: Int32
    package var key: [UInt8]
    package var rangeEnd: [UInt8]

    package init(kind: Int32, key: [UInt8], rangeEnd: [UInt8] = []) {
        self.kind = kind
        self.key = key
        self.rangeEnd = rangeEnd
    }

    package static let read: Int32 = 0
    package static let write: Int32 = 1
    package static let readWrite: Int32 = 2

    package var allowsReading: Bool { kind == Self.read || kind == Self.readWrite }
    package var allowsWriting: Bool { kind == Self.write || kind == Self.readWrite }
    package var range: KeyRange { KeyRange(key: key, rangeEnd: rangeEnd) }
}

/// A change of users, roles and permissions. Passwords come hashed: hashing is slow, and has chance in it.
package enum AuthCommand: Hashable, Sendable {
    case enable
    case disable
    /// Gives the user a token, if nothing has changed since the auth revision at which the password was checked. The
    /// prefix is empty where tokens carry their proof with them.
    case authenticate(user: AuthName, tokenPrefix: String, checkedAt: UInt64)
    /// `hash` nil: the user has no password, and comes in by a certificate.
    case userAdd(AuthName, hash: [UInt8]?)
    case userDelete(AuthName)
    case userChangePassword(AuthName, hash: [UInt8])
    case userGrantRole(AuthName, role: AuthName)
    case userRevokeRole(AuthName, role: AuthName)
    case roleAdd(AuthName)
    case roleDelete(AuthName)
    case roleGrantPermission(AuthName, Permission)
    case roleRevokePermission(AuthName, key: [UInt8], rangeEnd: [UInt8])
}

extension AuthCommand {
    var kind: Command.Kind {
        switch self {
        case .enable: .authEnable
        case .disable: .authDisable
        case .authenticate: .authenticate
        case .userAdd: .userAdd
        case .userDelete: .userDelete
        case .userChangePassword: .userChangePassword
        case .userGrantRole: .userGrantRole
        case .userRevokeRole: .userRevokeRole
        case .roleAdd: .roleAdd
        case .roleDelete: .roleDelete
        case .roleGrantPermission: .roleGrantPermission
        case .roleRevokePermission: .roleRevokePermission
        }
    }
}
