// The fields of a command that changes users, roles or permissions; the layout is described in Command+Encoding.swift.

extension AuthCommand {
    var commandSize: Int {
        typealias Size = CommandWriter
        return switch self {
        case .enable, .disable: 0
        case .authenticate(let user, let prefix, let revision):
            user.commandSize + Size.size(bytes: prefix.utf8.count) + Size.size(revision)
        case .userAdd(let user, let hash): user.commandSize + 1 + (hash.map { Size.size(bytes: $0.count) } ?? 0)
        case .userChangePassword(let user, let hash): user.commandSize + Size.size(bytes: hash.count)
        case .userGrantRole(let user, let role), .userRevokeRole(let user, let role):
            user.commandSize + role.commandSize
        case .userDelete(let name), .roleAdd(let name), .roleDelete(let name): name.commandSize
        case .roleGrantPermission(let role, let permission): role.commandSize + permission.commandSize
        case .roleRevokePermission(let role, let key, let rangeEnd):
            role.commandSize + Size.size(bytes: key.count) + Size.size(bytes: rangeEnd.count)
        }
    }

    func encodeCommand(to writer: inout CommandWriter) {
        switch self {
        case .enable, .disable: break
        case .authenticate(let user, let prefix, let revision):
            writer.bytes(user.utf8)
            writer.string(prefix)
            writer.unsigned(revision)
        case .userAdd(let user, let hash):
            writer.bytes(user.utf8)
            writer.byte(hash == nil ? 0 : 1)
            if let hash { writer.bytes(hash) }
        case .userChangePassword(let user, let hash):
            writer.bytes(user.utf8)
            writer.bytes(hash)
        case .userGrantRole(let user, let role), .userRevokeRole(let user, let role):
            writer.bytes(user.utf8)
            writer.bytes(role.utf8)
        case .userDelete(let name), .roleAdd(let name), .roleDelete(let name):
            writer.bytes(name.utf8)
        case .roleGrantPermission(let role, let permission):
            writer.bytes(role.utf8)
            permission.encodeCommand(to: &writer)
        case .roleRevokePermission(let role, let key, let rangeEnd):
            writer.bytes(role.utf8)
            writer.bytes(key)
            writer.bytes(rangeEnd)
        }
    }

    /// - Parameter kind: One of this enumeration's; nil for others.
    init?(_ kind: Command.Kind, from reader: inout CommandReader) throws(CommandDecodingError) {
        switch kind {
        case .authEnable: self = .enable
        case .authDisable: self = .disable
        case .authenticate:
            let user = try reader.authName()
            let prefix = try reader.string()
            self = .authenticate(user: user, tokenPrefix: prefix, checkedAt: try reader.unsigned())
        case .userAdd:
            let user = try reader.authName()
            self = .userAdd(user, hash: try reader.flags(below: 2) == 1 ? try reader.bytes() : nil)
        case .userDelete: self = .userDelete(try reader.authName())
        case .userChangePassword:
            let user = try reader.authName()
            self = .userChangePassword(user, hash: try reader.bytes())
        case .userGrantRole:
            let user = try reader.authName()
            self = .userGrantRole(user, role: try reader.authName())
        case .userRevokeRole:
            let user = try reader.authName()
            self = .userRevokeRole(user, role: try reader.authName())
        case .roleAdd: self = .roleAdd(try reader.authName())
        case .roleDelete: self = .roleDelete(try reader.authName())
        case .roleGrantPermission:
            let role = try reader.authName()
            self = .roleGrantPermission(role, try Permission(from: &reader))
        case .roleRevokePermission:
            let role = try reader.authName()
            let key = try reader.bytes()
            self = .roleRevokePermission(role, key: key, rangeEnd: try reader.bytes())
        case .put, .deleteRange, .txn, .compact, .leaseGrant, .leaseRevoke, .leaseExpire, .leaseCheckpoint, .alarm,
            .setMember:
            return nil
        }
    }
}

extension AuthName {
    var commandSize: Int { CommandWriter.size(bytes: utf8.count) }
}

extension RequestIdentity {
    var commandSize: Int { user.commandSize + CommandWriter.size(authRevision) }

    func encodeCommand(to writer: inout CommandWriter) {
        writer.bytes(user.utf8)
        writer.unsigned(authRevision)
    }

    init(from reader: inout CommandReader) throws(CommandDecodingError) {
        let user = try reader.authName()
        self.init(user: user, authRevision: try reader.unsigned())
    }
}

extension Permission {
    fileprivate var commandSize: Int {
        CommandWriter.size(signed: Int64(kind)) + CommandWriter.size(bytes: key.count)
            + CommandWriter.size(bytes: rangeEnd.count)
    }

    fileprivate func encodeCommand(to writer: inout CommandWriter) {
        writer.signed(Int64(kind))
        writer.bytes(key)
        writer.bytes(rangeEnd)
    }

    fileprivate init(from reader: inout CommandReader) throws(CommandDecodingError) {
        guard let kind = Int32(exactly: try reader.signed()) else { throw .malformed }
        let key = try reader.bytes()
        self.init(kind: kind, key: key, rangeEnd: try reader.bytes())
    }
}

extension CommandReader {
    mutating func authName() throws(CommandDecodingError) -> AuthName { AuthName(utf8: try bytes()) }
}
