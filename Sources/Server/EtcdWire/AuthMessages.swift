package import StrakeModel

// Requests and responses of the auth service.

/// Authenticate, UserAdd and UserChangePassword: somebody's name with a password.
///
///     AuthenticateRequest: name 1, password 2
///     AuthUserAddRequest: name 1, password 2, options 3 { no_password 1 }, hashedPassword 4
///     AuthUserChangePasswordRequest: name 1, password 2, hashedPassword 3
package struct AuthPasswordRequest: Hashable, Sendable {
    package var name = AuthName("")
    package var password: [UInt8] = []

    init() {}

    package init(name: AuthName, password: [UInt8]) {
        self.name = name
        self.password = password
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AuthPasswordRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, name.utf8) + ProtobufWriter.size(2, password) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name.utf8)
        writer.field(2, password)
    }
}

extension AuthPasswordRequest: WireFields {
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = AuthName(try reader.string())
        case Tag.bytes(2): password = Array(try reader.string().utf8)
        default: try reader.skip(tag)
        }
    }
}

package struct AuthUserAddRequest: Hashable, Sendable {
    package var name = AuthName("")
    package var password: [UInt8] = []
    /// The user comes in by a certificate.
    package var hasNoPassword = false

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AuthUserAddRequest: WireFields {
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = AuthName(try reader.string())
        case Tag.bytes(2): password = Array(try reader.string().utf8)
        case Tag.bytes(3): hasNoPassword = try AuthUserOptions(try reader.bytes(), hasNoPassword).hasNoPassword
        default: try reader.skip(tag)
        }
    }
}

/// `authpb.UserAddOptions`.
struct AuthUserOptions: WireFields {
    var hasNoPassword = false

    /// - Parameter hasNoPassword: What an earlier piece of the same message said.
    init(_ bytes: UnsafeRawBufferPointer, _ hasNoPassword: Bool) throws(ProtobufError) {
        self.hasNoPassword = hasNoPassword
        try read(bytes)
    }

    init() {}

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.varint(1) { hasNoPassword = try reader.bool() } else { try reader.skip(tag) }
    }
}

package struct AuthChangePasswordRequest: Hashable, Sendable {
    package var name = AuthName("")
    package var password: [UInt8] = []
    /// In base64: a hash that the client has made itself, of use where `password` is empty.
    package var hashedPassword = ""

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AuthChangePasswordRequest: WireFields {
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = AuthName(try reader.string())
        case Tag.bytes(2): password = Array(try reader.string().utf8)
        case Tag.bytes(3): hashedPassword = try reader.string()
        default: try reader.skip(tag)
        }
    }
}

/// A request that names a user or a role, as its first field: UserGet, UserDelete, RoleAdd, RoleGet, RoleDelete.
package struct AuthNameRequest: Hashable, Sendable {
    package var name = AuthName("")

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AuthNameRequest: WireFields {
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(1) { name = AuthName(try reader.string()) } else { try reader.skip(tag) }
    }
}

/// UserGrantRole and UserRevokeRole: user 1, role 2.
package struct AuthUserRoleRequest: Hashable, Sendable {
    package var user = AuthName("")
    package var role = AuthName("")

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AuthUserRoleRequest: WireFields {
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): user = AuthName(try reader.string())
        case Tag.bytes(2): role = AuthName(try reader.string())
        default: try reader.skip(tag)
        }
    }
}

/// RoleGrantPermission: name 1, perm 2.
package struct AuthGrantPermissionRequest: Hashable, Sendable {
    package var role = AuthName("")
    package var permission: Permission?

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AuthGrantPermissionRequest: WireFields {
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): role = AuthName(try reader.string())
        case Tag.bytes(2):
            var fields = permission ?? Permission()
            try fields.read(try reader.bytes())
            permission = fields
        default: try reader.skip(tag)
        }
    }
}

/// RoleRevokePermission: role 1, key 2, range_end 3.
package struct AuthRevokePermissionRequest: Hashable, Sendable {
    package var role = AuthName("")
    package var key: [UInt8] = []
    package var rangeEnd: [UInt8] = []

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AuthRevokePermissionRequest: WireFields {
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): role = AuthName(try reader.string())
        case Tag.bytes(2): key = Array(try reader.bytes())
        case Tag.bytes(3): rangeEnd = Array(try reader.bytes())
        default: try reader.skip(tag)
        }
    }
}

/// `authpb.Permission`: permType 1, key 2, range_end 3.
extension Permission: WireFields {
    init() { self.init(kind: Permission.read, key: []) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): kind = try reader.int32()
        case Tag.bytes(2): key = Array(try reader.bytes())
        case Tag.bytes(3): rangeEnd = Array(try reader.bytes())
        default: try reader.skip(tag)
        }
    }

    private var messageSize: Int {
        ProtobufWriter.size(1, Int64(kind)) + ProtobufWriter.size(2, key) + ProtobufWriter.size(3, rangeEnd)
    }

    func fieldSize(_ field: UInt32) -> Int { ProtobufWriter.size(field, bytes: messageSize) }

    func encode(field: UInt32, to writer: inout ProtobufWriter) {
        writer.prefix(field, bytes: messageSize)
        writer.field(1, Int64(kind))
        writer.field(2, key)
        writer.field(3, rangeEnd)
    }
}

// MARK: Responses

package struct AuthStatusResponse: ResponseBody, Hashable, Sendable {
    package var isEnabled: Bool
    package var authRevision: UInt64

    package init(isEnabled: Bool, authRevision: UInt64) {
        self.isEnabled = isEnabled
        self.authRevision = authRevision
    }

    package var fieldsSize: Int { ProtobufWriter.size(2, isEnabled) + ProtobufWriter.size(3, authRevision) }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, isEnabled)
        writer.field(3, authRevision)
    }
}

package struct AuthenticateResponse: ResponseBody, Hashable, Sendable {
    package var token: String

    package init(token: String) {
        self.token = token
    }

    package var fieldsSize: Int { ProtobufWriter.size(2, token) }

    package func encodeFields(to writer: inout ProtobufWriter) { writer.field(2, token) }
}

extension AuthenticateResponse: WireFields {
    init() { self.init(token: "") }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { token = try reader.string() } else { try reader.skip(tag) }
    }
}

/// The roles of a user, all users, or all roles.
package struct AuthNamesResponse: ResponseBody, Hashable, Sendable {
    package var names: [AuthName]

    package init(names: [AuthName]) {
        self.names = names
    }

    package var fieldsSize: Int { names.reduce(0) { $0 + ProtobufWriter.size(2, bytes: $1.utf8.count) } }

    package func encodeFields(to writer: inout ProtobufWriter) {
        for name in names { writer.element(2, name.utf8) }
    }
}

package struct AuthRoleGetResponse: ResponseBody, Hashable, Sendable {
    package var permissions: [Permission]

    package init(permissions: [Permission]) {
        self.permissions = permissions
    }

    package var fieldsSize: Int { permissions.reduce(0) { $0 + $1.fieldSize(2) } }

    package func encodeFields(to writer: inout ProtobufWriter) {
        for permission in permissions { permission.encode(field: 2, to: &writer) }
    }
}
