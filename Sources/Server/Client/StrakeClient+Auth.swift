internal import NIOCore
internal import StrakeEtcdWire

/// Whether a cluster asks its clients who they are.
public struct AuthStatus: Hashable, Sendable {
    public var isEnabled: Bool
    /// Rises with each change of users, roles and permissions.
    public var authRevision: UInt64

    public init(isEnabled: Bool, authRevision: UInt64) {
        self.isEnabled = isEnabled
        self.authRevision = authRevision
    }
}

/// What a role allows on a range of keys.
public struct RolePermission: Hashable, Sendable {
    /// Which calls, by the number in etcd's protocol.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public var rawValue: Int32

        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        public static let read = Kind(rawValue: Permission.read)
        public static let write = Kind(rawValue: Permission.write)
        public static let readWrite = Kind(rawValue: Permission.readWrite)
    }

    public var kind: Kind
    public var range: KeyRange

    public init(_ kind: Kind, on range: KeyRange) {
        self.kind = kind
        self.range = range
    }
}

/// Authentication as a whole.
extension StrakeClient {
    /// Gets a token for `Options.credentials`, unless there is one: a wrong password fails here, and not at the first call.
    /// Without it the first call does so. Nothing happens where there are no credentials, or authentication is disabled.
    ///
    /// - Parameter timeout: Nil: `Options.requestTimeout`.
    public func authenticate(timeout: Duration? = nil) async throws(StrakeClientError) {
        let deadline = timeout.map { NIODeadline.now() + TimeAmount($0) } ?? requestDeadline
        _ = try await admission(until: deadline)
    }

    /// From now on every call needs a user, who may do what his roles allow.
    ///
    /// - Throws: `failedPrecondition` as long as there is no user `root` with the role `root`.
    @discardableResult
    public func enableAuth() async throws(StrakeClientError) -> Header {
        try await call(.authEnable, EmptyRequest(), as: EmptyResponse.self, isRepeatable: false).header
    }

    /// From now on anybody may do anything. Users and roles stay.
    @discardableResult
    public func disableAuth() async throws(StrakeClientError) -> Header {
        try await call(.authDisable, EmptyRequest(), as: EmptyResponse.self, isRepeatable: false).header
    }

    /// Whether authentication is enabled.
    public func authStatus() async throws(StrakeClientError) -> Answer<AuthStatus> {
        try await call(.authStatus, EmptyRequest(), as: AuthStatusResponse.self, isRepeatable: true)
            .map { AuthStatus(isEnabled: $0.isEnabled, authRevision: $0.authRevision) }
    }
}

/// Users.
extension StrakeClient {
    /// Adds a user, who may do nothing yet.
    ///
    /// - Parameters:
    ///   - name: Not empty.
    ///   - password: Nil: he comes in by a certificate with his name only.
    @discardableResult
    public func addUser(_ name: String, password: String?) async throws(StrakeClientError) -> Header {
        var request = AuthUserAddRequest()
        request.name = AuthName(name)
        request.password = Array((password ?? "").utf8)
        request.hasNoPassword = password == nil
        return try await call(.userAdd, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    @discardableResult
    public func deleteUser(_ name: String) async throws(StrakeClientError) -> Header {
        try await call(.userDelete, Self.naming(name), as: EmptyResponse.self, isRepeatable: false).header
    }

    /// The names of all users.
    public func users() async throws(StrakeClientError) -> Answer<[String]> {
        try await names(.userList, EmptyRequest())
    }

    /// The roles that a user has.
    public func roles(ofUser name: String) async throws(StrakeClientError) -> Answer<[String]> {
        try await names(.userGet, Self.naming(name))
    }

    /// Gives a user another password. His tokens are no good any more.
    @discardableResult
    public func changePassword(
        ofUser name: String, to password: String
    ) async throws(StrakeClientError) -> Header {
        var request = AuthChangePasswordRequest()
        (request.name, request.password) = (AuthName(name), Array(password.utf8))
        return try await call(.userChangePassword, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    @discardableResult
    public func grantRole(_ role: String, toUser name: String) async throws(StrakeClientError) -> Header {
        let request = Self.naming(name, role: role)
        return try await call(.userGrantRole, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    @discardableResult
    public func revokeRole(_ role: String, fromUser name: String) async throws(StrakeClientError) -> Header {
        let request = Self.naming(name, role: role)
        return try await call(.userRevokeRole, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    private static func naming(_ user: String, role: String) -> AuthUserRoleRequest {
        var request = AuthUserRoleRequest()
        (request.user, request.role) = (AuthName(user), AuthName(role))
        return request
    }

    private static func naming(_ name: String) -> AuthNameRequest {
        var request = AuthNameRequest()
        request.name = AuthName(name)
        return request
    }

    private func names(
        _ method: Method, _ request: some WireMessage
    ) async throws(StrakeClientError) -> Answer<[String]> {
        try await call(method, request, as: AuthNamesResponse.self, isRepeatable: true)
            .map { $0.names.map(\.description) }
    }
}

/// Roles.
extension StrakeClient {
    /// Adds a role, which allows nothing yet.
    @discardableResult
    public func addRole(_ name: String) async throws(StrakeClientError) -> Header {
        try await call(.roleAdd, Self.naming(name), as: EmptyResponse.self, isRepeatable: false).header
    }

    /// Deletes a role. Users who had it have it no more.
    @discardableResult
    public func deleteRole(_ name: String) async throws(StrakeClientError) -> Header {
        try await call(.roleDelete, Self.naming(name), as: EmptyResponse.self, isRepeatable: false).header
    }

    /// The names of all roles.
    public func roles() async throws(StrakeClientError) -> Answer<[String]> {
        try await names(.roleList, EmptyRequest())
    }

    /// What a role allows.
    public func permissions(ofRole name: String) async throws(StrakeClientError) -> Answer<[RolePermission]> {
        try await call(.roleGet, Self.naming(name), as: AuthRoleGetResponse.self, isRepeatable: true)
            .map { $0.permissions.map { RolePermission(RolePermission.Kind(rawValue: $0.kind), on: $0.range) } }
    }

    /// Allows something on a range of keys, in the place of what was allowed on that very range before.
    @discardableResult
    public func grantPermission(
        _ permission: RolePermission, toRole name: String
    ) async throws(StrakeClientError) -> Header {
        var request = AuthGrantPermissionRequest()
        let range = permission.range
        request.role = AuthName(name)
        request.permission = Permission(
            kind: permission.kind.rawValue, key: range.lower, rangeEnd: range.rangeEnd)
        return try await call(.roleGrantPermission, request, as: EmptyResponse.self, isRepeatable: false).header
    }

    /// Takes back what was allowed on a range, which has to be the one that was granted.
    @discardableResult
    public func revokePermission(
        on range: KeyRange, fromRole name: String
    ) async throws(StrakeClientError) -> Header {
        var request = AuthRevokePermissionRequest()
        (request.role, request.key, request.rangeEnd) = (AuthName(name), range.lower, range.rangeEnd)
        return try await call(.roleRevokePermission, request, as: EmptyResponse.self, isRepeatable: false).header
    }
}
