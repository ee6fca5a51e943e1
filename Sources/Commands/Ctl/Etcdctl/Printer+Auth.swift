internal import StrakeClient

extension Printer {
    /// Answers that etcdctl has neither a table nor fields for.
    private func refuseFields() throws(CommandFailure) {
        try refuseTable()
        if format == .fields {
            throw CommandFailure("fields not supported as output format", CommandFailure.badFeature)
        }
    }

    /// The answer to a change of users or roles.
    func authChange(_ header: Header, _ line: String) throws(CommandFailure) {
        try refuseTable()
        switch format {
        case .simple, .table: CommandOutput.line(line)
        case .fields: fields(header)
        case .json: json(header)
        }
    }

    func authStatus(_ answer: Answer<AuthStatus>) throws(CommandFailure) {
        try refuseFields()
        guard format == .json else {
            CommandOutput.line("Authentication Status: \(answer.isEnabled)")
            return CommandOutput.line("AuthRevision: \(answer.authRevision)")
        }
        json(answer.header) { object in
            object.addUnlessEmpty("enabled", answer.isEnabled)
            object.addUnlessEmpty("authRevision", answer.authRevision)
        }
    }

    func user(_ name: String, _ answer: Answer<[String]>) throws(CommandFailure) {
        try refuseFields()
        guard format == .json else {
            CommandOutput.line("User: \(name)")
            return CommandOutput.line("Roles:" + answer.body.map { " \($0)" }.joined())
        }
        json(answer.header) { $0.addUnlessEmpty("roles", list: answer.body.map { GoText.json($0) }) }
    }

    func users(_ answer: Answer<[String]>) throws(CommandFailure) {
        try refuseFields()
        guard format == .json else {
            for name in answer.body { CommandOutput.line(name) }
            return
        }
        json(answer.header) { $0.addUnlessEmpty("users", list: answer.body.map { GoText.json($0) }) }
    }

    func roles(_ answer: Answer<[String]>) throws(CommandFailure) {
        try refuseTable()
        switch format {
        case .simple, .table: for name in answer.body { CommandOutput.line(name) }
        case .fields:
            fields(answer.header)
            CommandOutput.line("\"Roles\" :" + answer.body.map { " \(GoText.quoted($0))" }.joined())
        case .json: json(answer.header) { $0.addUnlessEmpty("roles", list: answer.body.map { GoText.json($0) }) }
        }
    }

    // MARK: - Permissions

    func role(_ name: String, _ answer: Answer<[RolePermission]>) throws(CommandFailure) {
        try refuseTable()
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
