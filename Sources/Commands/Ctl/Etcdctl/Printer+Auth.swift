internal import StrakeClient
internal import StrakeEtcdWire

extension Printer {
    /// The answer to a change of users or roles.
    func authChange(_ header: Header, _ line: String) throws(CommandFailure) {
        try refuse(.table)
        switch format {
        case .simple, .table: CommandOutput.line(line)
        case .fields: fields(header)
        case .json: json(header)
        case .protobuf: protobuf(header)
        }
    }

    func authStatus(_ answer: Answer<AuthStatus>) throws(CommandFailure) {
        try refuse(.table, .fields)
        switch format {
        case .simple, .table, .fields:
            CommandOutput.line("Authentication Status: \(answer.isEnabled)")
            CommandOutput.line("AuthRevision: \(answer.authRevision)")
        case .json:
            json(answer.header) { object in
                object.addUnlessEmpty("enabled", answer.isEnabled)
                object.addUnlessEmpty("authRevision", answer.authRevision)
            }
        case .protobuf:
            protobuf(
                answer.header, AuthStatusResponse(isEnabled: answer.isEnabled, authRevision: answer.authRevision))
        }
    }

    func user(_ name: String, _ answer: Answer<[String]>) throws(CommandFailure) {
        try refuse(.table, .fields)
        switch format {
        case .simple, .table, .fields:
            CommandOutput.line("User: \(name)")
            CommandOutput.line("Roles:" + answer.body.map { " \($0)" }.joined())
        case .json, .protobuf: names("roles", answer)
        }
    }

    /// As json and protobuf have them.
    private func names(_ field: String, _ answer: Answer<[String]>) {
        if format == .protobuf {
            return protobuf(answer.header, AuthNamesResponse(names: answer.body.map { AuthName($0) }))
        }
        json(answer.header) { $0.addUnlessEmpty(field, list: answer.body.map { GoText.json($0) }) }
    }

    func users(_ answer: Answer<[String]>) throws(CommandFailure) {
        try refuse(.table, .fields)
        switch format {
        case .simple, .table, .fields: for name in answer.body { CommandOutput.line(name) }
        case .json, .protobuf: names("users", answer)
        }
    }

    func roles(_ answer: Answer<[String]>) throws(CommandFailure) {
        try refuse(.table)
        switch format {
        case .simple, .table: for name in answer.body { CommandOutput.line(name) }
        case .fields:
            fields(answer.header)
            CommandOutput.line("\"Roles\" :" + answer.body.map { " \(GoText.quoted($0))" }.joined())
        case .json, .protobuf: names("roles", answer)
        }
    }

    // MARK: - Permissions

    func role(_ name: String, _ answer: Answer<[RolePermission]>) throws(CommandFailure) {
        try refuse(.table)
        switch format {
        case .simple, .table:
            CommandOutput.line("Role \(name)")
            CommandOutput.line("KV Read:")
            for permission in answer.body where permission.kind != .write { line(permission.range) }
            CommandOutput.line("KV Write:")
            for permission in answer.body where permission.kind != .read { line(permission.range) }
        case .fields:
            fields(answer.header)
            for permission in answer.body {
                // With etcdctl's two blanks.
                field("PermType", " \(Self.name(permission.kind))")
                field("Key", GoText.quoted(permission.range.lower))
                field("RangeEnd", GoText.quoted(Self.end(permission.range)))
            }
        case .json:
            json(answer.header) { $0.addUnlessEmpty("perm", list: answer.body.map { Self.json($0).text }) }
        case .protobuf:
            let permissions = answer.body.map { permission in
                Permission(
                    kind: permission.kind.rawValue, key: permission.range.lower, rangeEnd: Self.end(permission.range))
            }
            protobuf(answer.header, AuthRoleGetResponse(permissions: permissions))
        }
    }

    /// - Parameter range: With the key as it was typed.
    func permissionRevoked(_ range: KeyRange, _ role: String, _ header: Header) throws(CommandFailure) {
        let what: [UInt8] =
            range.isSingle ? Array("key ".utf8) + range.lower : Array("range ".utf8) + Self.text(range)
        let line = Array("Permission of ".utf8) + what + Array(" is revoked from role \(role)".utf8)
        guard format == .simple else { return try authChange(header, "") }
        CommandOutput.line(line)
    }

    private func line(_ range: KeyRange) {
        var line: [UInt8] = [0x09] + (range.isSingle ? range.lower : Self.text(range))
        if !range.isSingle && range.upper == KeyRange.prefix(range.lower).upper {
            line += Array(" (prefix ".utf8) + range.lower + Array(")".utf8)
        }
        CommandOutput.line(line)
    }

    private static func text(_ range: KeyRange) -> [UInt8] {
        let start = Array("[".utf8) + range.lower + Array(", ".utf8)
        if range.upper == .unbounded { return start + Array("<open ended>".utf8) }
        return start + end(range) + Array(")".utf8)
    }

    private static func end(_ range: KeyRange) -> [UInt8] {
        switch range.upper {
        case .single: []
        case .before(let end): end
        case .unbounded: [0]
        }
    }

    private static func name(_ kind: RolePermission.Kind) -> String {
        switch kind {
        case .read: "READ"
        case .write: "WRITE"
        case .readWrite: "READWRITE"
        default: "\(kind.rawValue)"
        }
    }

    private static func json(_ permission: RolePermission) -> JSONObject {
        var object = JSONObject()
        object.addUnlessEmpty("permType", Int64(permission.kind.rawValue))
        object.addUnlessEmpty("key", bytes: permission.range.lower)
        object.addUnlessEmpty("range_end", bytes: end(permission.range))
        return object
    }
}
