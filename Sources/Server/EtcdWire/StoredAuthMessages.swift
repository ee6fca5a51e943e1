package import StrakeModel

// Messages that etcd puts into its database for users and roles.

/// `authpb.User`: name 1, password 2, roles 3, options 4 { no_password 1 }.
package struct StoredUser: WireFields, WireMessage, Hashable, Sendable {
    package var name = AuthName("")
    package var password: [UInt8] = []
    package var roles: [AuthName] = []
    package var hasNoPassword = false

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = AuthName(utf8: Array(try reader.bytes()))
        case Tag.bytes(2): password = Array(try reader.bytes())
        case Tag.bytes(3): roles.append(AuthName(utf8: Array(try reader.bytes())))
        case Tag.bytes(4): hasNoPassword = try AuthUserOptions(try reader.bytes(), hasNoPassword).hasNoPassword
        default: try reader.skip(tag)
        }
    }

    private var optionsSize: Int { ProtobufWriter.size(1, hasNoPassword) }

    package var encodedSize: Int {
        roles.reduce(
            ProtobufWriter.size(1, name.utf8) + ProtobufWriter.size(2, password)
                + ProtobufWriter.size(4, bytes: optionsSize)
        ) { $0 + ProtobufWriter.size(3, bytes: $1.utf8.count) }
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name.utf8)
        writer.field(2, password)
        for role in roles { writer.element(3, role.utf8) }
        // There even when it says nothing: etcd looks into it without asking whether it is there.
        writer.prefix(4, bytes: optionsSize)
        writer.field(1, hasNoPassword)
    }
}

/// `authpb.Role`: name 1, keyPermission 2.
package struct StoredRole: WireFields, WireMessage, Hashable, Sendable {
    package var name = AuthName("")
    package var permissions: [Permission] = []

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = AuthName(utf8: Array(try reader.bytes()))
        case Tag.bytes(2): permissions.append(try Permission(try reader.bytes()))
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int {
        permissions.reduce(ProtobufWriter.size(1, name.utf8)) { $0 + $1.fieldSize(2) }
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name.utf8)
        for permission in permissions { permission.encode(field: 2, to: &writer) }
    }
}
