internal import StrakeModel

// The client's side: requests of the auth service as they are sent.

extension AuthUserAddRequest: WireMessage {
    /// `authpb.UserAddOptions`, which is there only when it says something.
    private var optionsSize: Int { ProtobufWriter.size(1, hasNoPassword) }

    package var encodedSize: Int {
        ProtobufWriter.size(1, name.utf8) + ProtobufWriter.size(2, password)
            + (hasNoPassword ? ProtobufWriter.size(3, bytes: optionsSize) : 0)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name.utf8)
        writer.field(2, password)
        guard hasNoPassword else { return }
        writer.prefix(3, bytes: optionsSize)
        writer.field(1, hasNoPassword)
    }
}

extension AuthChangePasswordRequest: WireMessage {
    package var encodedSize: Int {
        ProtobufWriter.size(1, name.utf8) + ProtobufWriter.size(2, password) + ProtobufWriter.size(3, hashedPassword)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name.utf8)
        writer.field(2, password)
        writer.field(3, hashedPassword)
    }
}

extension AuthNameRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, name.utf8) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, name.utf8) }
}

extension AuthUserRoleRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, user.utf8) + ProtobufWriter.size(2, role.utf8) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, user.utf8)
        writer.field(2, role.utf8)
    }
}

extension AuthGrantPermissionRequest: WireMessage {
    package var encodedSize: Int { ProtobufWriter.size(1, role.utf8) + (permission?.fieldSize(2) ?? 0) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, role.utf8)
        permission?.encode(field: 2, to: &writer)
    }
}

extension AuthRevokePermissionRequest: WireMessage {
    package var encodedSize: Int {
        ProtobufWriter.size(1, role.utf8) + ProtobufWriter.size(2, key) + ProtobufWriter.size(3, rangeEnd)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, role.utf8)
        writer.field(2, key)
        writer.field(3, rangeEnd)
    }
}
