import StrakeEtcdWire
import StrakeModel
import Testing

@Suite struct AuthMessageTests {
    private func read<Message>(
        _ bytes: [UInt8], _ message: (UnsafeRawBufferPointer) throws(WireError) -> Message
    ) throws(WireError) -> Message {
        try bytes.withUnsafeBufferPointer { bytes throws(WireError) in try message(UnsafeRawBufferPointer(bytes)) }
    }

    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
    private func field(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

    @Test func `requests say what their fields say`() throws {
        let password = try read(field(1, "u") + field(2, "p")) { bytes throws(WireError) in
            try AuthPasswordRequest(protobuf: bytes)
        }
        #expect(password.name == AuthName("u") && password.password == Array("p".utf8))
        let add = try read(field(1, "u") + field(2, "p") + field(3, [8, 1]) + field(4, "ignored")) {
            bytes throws(WireError) in try AuthUserAddRequest(protobuf: bytes)
        }
        #expect(add.name == AuthName("u") && add.password == Array("p".utf8) && add.hasNoPassword)
        let change = try read(field(1, "u") + field(3, "aGFzaA==")) { bytes throws(WireError) in
            try AuthChangePasswordRequest(protobuf: bytes)
        }
        #expect(change.password.isEmpty && change.hashedPassword == "aGFzaA==")
        let name = try read(field(1, "größe") + field(9, "unknown")) { bytes throws(WireError) in
            try AuthNameRequest(protobuf: bytes)
        }
        #expect(name.name == AuthName("größe"))
        let role = try read(field(1, "u") + field(2, "r")) { bytes throws(WireError) in
            try AuthUserRoleRequest(protobuf: bytes)
        }
        #expect(role.user == AuthName("u") && role.role == AuthName("r"))
        let revoke = try read(field(1, "r") + field(2, [0]) + field(3, [0xff])) { bytes throws(WireError) in
            try AuthRevokePermissionRequest(protobuf: bytes)
        }
        #expect(revoke.role == AuthName("r") && revoke.key == [0] && revoke.rangeEnd == [0xff])
    }

    private func response<Body: ReadableResponse>(_ body: Body) throws -> Body {
        let bytes = Response(ResponseHeader(revision: 3), body).encoded()
        let response = try bytes.withUnsafeBytes { try Body.response(protobuf: $0) }
        #expect(response.header.revision == 3)
        return response.body
    }

    @Test func `what a client sends is read as it was meant`() throws {
        var add = AuthUserAddRequest()
        (add.name, add.password) = (AuthName("u"), Array("p".utf8))
        #expect(add.encoded() == field(1, "u") + field(2, "p"))
        add.hasNoPassword = true
        #expect(try read(add.encoded()) { bytes throws(WireError) in try AuthUserAddRequest(protobuf: bytes) } == add)
        var change = AuthChangePasswordRequest()
        (change.name, change.password, change.hashedPassword) = (AuthName("u"), [112], "aGFzaA==")
        #expect(
            try read(change.encoded()) { bytes throws(WireError) in try AuthChangePasswordRequest(protobuf: bytes) }
                == change)
        var name = AuthNameRequest()
        name.name = AuthName("größe")
        #expect(try read(name.encoded()) { bytes throws(WireError) in try AuthNameRequest(protobuf: bytes) } == name)
        var role = AuthUserRoleRequest()
        (role.user, role.role) = (AuthName("u"), AuthName("r"))
        #expect(
            try read(role.encoded()) { bytes throws(WireError) in try AuthUserRoleRequest(protobuf: bytes) } == role)
        var grant = AuthGrantPermissionRequest()
        grant.role = AuthName("r")
        for permission in [nil, Permission(kind: 0, key: []), Permission(kind: 2, key: [97], rangeEnd: [0])] {
            grant.permission = permission
            #expect(
                try read(grant.encoded()) { bytes throws(WireError) in try AuthGrantPermissionRequest(protobuf: bytes) }
                    == grant)
        }
        var revoke = AuthRevokePermissionRequest()
        (revoke.role, revoke.key, revoke.rangeEnd) = (AuthName("r"), [0], [0xff])
        #expect(
            try read(revoke.encoded()) { bytes throws(WireError) in try AuthRevokePermissionRequest(protobuf: bytes) }
                == revoke)
    }

    @Test func `what a server answers is read whole`() throws {
        let status = AuthStatusResponse(isEnabled: true, authRevision: .max)
        #expect(try response(status) == status)
        let token = AuthenticateResponse(token: "t.1")
        #expect(try response(token) == token)
        let names = AuthNamesResponse(names: [AuthName("a"), AuthName(""), AuthName("ö")])
        #expect(try response(names) == names)
        let role = AuthRoleGetResponse(permissions: [
            Permission(kind: 0, key: [97]), Permission(kind: 2, key: [], rangeEnd: [0]),
        ])
        #expect(try response(role) == role)
        #expect(try response(DowngradeResponse(version: "3.7")).version == "3.7")
    }

    @Test func `a permission may be missing, empty, or of a kind that nobody knows`() throws {
        func grant(_ bytes: [UInt8]) throws(WireError) -> Permission? {
            try read(bytes) { bytes throws(WireError) in try AuthGrantPermissionRequest(protobuf: bytes) }.permission
        }
        #expect(try grant(field(1, "r")) == nil)
        #expect(try grant(field(1, "r") + field(2, [])) == Permission(kind: 0, key: []))
        let whole = field(2, [8, 2] + field(2, "a") + field(3, "b"))
        #expect(try grant(whole) == Permission(kind: 2, key: [97], rangeEnd: [98]))
        // Two pieces of one message.
        #expect(try grant(field(2, field(2, "a")) + field(2, [8, 7])) == Permission(kind: 7, key: [97]))
        #expect(throws: WireError.self) { try grant(field(2, [8])) }
        #expect(throws: WireError.self) { try grant(field(1, [0xff])) }
    }

    @Test func `answers have their bytes`() {
        let header = ResponseHeader(revision: 5)
        let front: [UInt8] = [10, 2, 24, 5]
        #expect(
            Response(header, AuthStatusResponse(isEnabled: true, authRevision: 9)).encoded() == front + [16, 1, 24, 9])
        #expect(Response(header, AuthStatusResponse(isEnabled: false, authRevision: 1)).encoded() == front + [24, 1])
        #expect(Response(header, AuthenticateResponse(token: "t.1")).encoded() == front + field(2, "t.1"))
        let names = AuthNamesResponse(names: [AuthName("a"), AuthName("")])
        #expect(Response(header, names).encoded() == front + field(2, "a") + field(2, ""))
        let permissions = AuthRoleGetResponse(permissions: [
            Permission(kind: 0, key: [97]), Permission(kind: 2, key: [], rangeEnd: [0]),
        ])
        #expect(
            Response(header, permissions).encoded() == front + field(2, field(2, "a"))
                + field(2, [8, 2] + field(3, [0])))
    }

    @Test func `users and roles are kept as etcd keeps them`() throws {
        var user = StoredUser()
        user.name = AuthName("u")
        user.password = Array("hash".utf8)
        user.roles = [AuthName("a"), AuthName("b")]
        let bytes = field(1, "u") + field(2, "hash") + field(3, "a") + field(3, "b") + field(4, [])
        #expect(user.encoded() == bytes)
        #expect(try read(bytes) { bytes throws(WireError) in try StoredUser(protobuf: bytes) } == user)
        var role = StoredRole()
        role.name = AuthName("r")
        role.permissions = [Permission(kind: 1, key: [1], rangeEnd: [2])]
        let stored = field(1, "r") + field(2, [8, 1] + field(2, [1]) + field(3, [2]))
        #expect(role.encoded() == stored)
        #expect(try read(stored) { bytes throws(WireError) in try StoredRole(protobuf: bytes) } == role)
    }
}
