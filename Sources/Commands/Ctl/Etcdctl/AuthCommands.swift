internal import StrakeClient

/// auth, user and role.
enum AuthCommands {
    // MARK: - auth

    static func enable(_ context: CommandContext) async throws(CommandFailure) {
        try expectNone(context, "auth enable command does not accept any arguments")
        try await context.ask { client async throws(StrakeClientError) in
            do throws(StrakeClientError) {
                try await client.enableAuth()
            } catch {
                guard error.message == "etcdserver: root user does not have root role" else { throw error }
                try await addRootRole(client)
                try await client.enableAuth()
            }
        }
        CommandOutput.line("Authentication Enabled")
    }

    private static func addRootRole(_ client: StrakeClient) async throws(StrakeClientError) {
        do throws(StrakeClientError) {
            try await client.addRole("root")
        } catch {
            guard error.message == "etcdserver: role name already exists" else { throw error }
        }
        try await client.grantRole("root", toUser: "root")
    }

    static func disable(_ context: CommandContext) async throws(CommandFailure) {
        try expectNone(context, "auth disable command does not accept any arguments")
        _ = try await context.ask { client async throws(StrakeClientError) in try await client.disableAuth() }
        CommandOutput.line("Authentication Disabled")
    }

    static func status(_ context: CommandContext) async throws(CommandFailure) {
        try expectNone(context, "auth status command does not accept any arguments")
        try context.printer.authStatus(
            try await context.ask { client async throws(StrakeClientError) in try await client.authStatus() })
    }

    private static func expectNone(_ context: CommandContext, _ complaint: String) throws(CommandFailure) {
        guard context.words.isEmpty else { throw .arguments(complaint) }
    }

    /// The one word of a command.
    private static func name(_ context: CommandContext, _ complaint: String) throws(CommandFailure) -> String {
        guard context.words.count == 1 else { throw .arguments(complaint) }
        return context.words[0]
    }

    /// A call that is answered with a header, and the line for it.
    private static func change(
        _ context: CommandContext, _ line: String,
        _ body: (StrakeClient) async throws(StrakeClientError) -> Header
    ) async throws(CommandFailure) {
        try context.printer.authChange(try await context.ask(body), line)
    }

    // MARK: - user

    static let userAddFlags = [
        CommandFlag(
            "interactive", .flag, "true", "Ask for the password, twice; =false reads it from stdin without a prompt"),
        CommandFlag("new-user-password", .text, "", "Supply password from the command line flag"),
        CommandFlag("no-password", .flag, "false", "Create a user without password (CN based auth only)"),
    ]
    static let userPasswordFlags = [userAddFlags[0]]
    static let userGetFlags = [
        CommandFlag("detail", .flag, "false", "Show permissions of roles granted to the user")
    ]

    static func userAdd(_ context: CommandContext) async throws(CommandFailure) {
        let word = try name(context, "user add command requires user name as its argument")
        let (name, password) = try newUser(word, context.arguments)
        try await change(context, "User \(name) created") { client async throws(StrakeClientError) in
            try await client.addUser(name, password: password)
        }
    }

    /// - Returns: Nil for no password.
    private static func newUser(
        _ word: String, _ arguments: CommandArguments
    ) throws(CommandFailure) -> (String, String?) {
        if arguments.flag("no-password") { return (word, nil) }
        let given = arguments.text("new-user-password")
        if !given.isEmpty { return (word, given) }
        guard let colon = word.firstIndex(of: ":") else { return (word, try newPassword(of: word, arguments)) }
        guard colon > word.startIndex else { throw .arguments("empty user name is not allowed") }
        return (String(word[..<colon]), String(word[word.index(after: colon)...]))
    }

    private static func newPassword(
        of name: String, _ arguments: CommandArguments
    ) throws(CommandFailure) -> String {
        arguments.flag("interactive") ? try PasswordPrompt.askTwice(for: name) : PasswordPrompt.word()
    }

    static func userPassword(_ context: CommandContext) async throws(CommandFailure) {
        let name = try name(context, "user passwd command requires user name as its argument")
        let password = try newPassword(of: name, context.arguments)
        try await change(context, "Password updated") { client async throws(StrakeClientError) in
            try await client.changePassword(ofUser: name, to: password)
        }
    }

    static func userDelete(_ context: CommandContext) async throws(CommandFailure) {
        let name = try name(context, "user delete command requires user name as its argument")
        try await change(context, "User \(name) deleted") { client async throws(StrakeClientError) in
            try await client.deleteUser(name)
        }
    }

    static func userGet(_ context: CommandContext) async throws(CommandFailure) {
        let name = try name(context, "user get command requires user name as its argument")
        let client = try await context.client()
        let answer = try await context.call { () async throws(StrakeClientError) in
            try await client.roles(ofUser: name)
        }
        guard context.arguments.flag("detail") else { return try context.printer.user(name, answer) }
        CommandOutput.line("User: \(name)")
        for role in answer.body {
            CommandOutput.line("")
            let permissions = try await context.call { () async throws(StrakeClientError) in
                try await client.permissions(ofRole: role)
            }
            try context.printer.role(role, permissions)
        }
    }

    static func userList(_ context: CommandContext) async throws(CommandFailure) {
        try expectNone(context, "user list command requires no arguments")
        try context.printer.users(
            try await context.ask { client async throws(StrakeClientError) in try await client.users() })
    }

    static func userGrantRole(_ context: CommandContext) async throws(CommandFailure) {
        let (name, role) = try userAndRole(
            context, "user grant command requires user name and role name as its argument")
        try await change(context, "Role \(role) is granted to user \(name)") {
            client async throws(StrakeClientError) in try await client.grantRole(role, toUser: name)
        }
    }

    private static func userAndRole(
        _ context: CommandContext, _ complaint: String
    ) throws(CommandFailure) -> (String, String) {
        guard context.words.count == 2 else { throw .arguments(complaint) }
        return (context.words[0], context.words[1])
    }

    static func userRevokeRole(_ context: CommandContext) async throws(CommandFailure) {
        let (name, role) = try userAndRole(
            context, "user revoke-role requires user name and role name as its argument")
        try await change(context, "Role \(role) is revoked from user \(name)") {
            client async throws(StrakeClientError) in try await client.revokeRole(role, fromUser: name)
        }
    }

    // MARK: - role

    static let roleGrantFlags = [
        CommandFlag("prefix", .flag, "false", "grant a prefix permission"),
        CommandFlag(
            "from-key", .flag, "false",
            "grant a permission of keys that are greater than or equal to the given key using byte compare"),
    ]
    static let roleRevokeFlags = [
        CommandFlag("prefix", .flag, "false", "revoke a prefix permission"),
        CommandFlag(
            "from-key", .flag, "false",
            "revoke a permission of keys that are greater than or equal to the given key using byte compare"),
    ]

    static func roleAdd(_ context: CommandContext) async throws(CommandFailure) {
        let name = try name(context, "role add command requires role name as its argument")
        try await change(context, "Role \(name) created") { client async throws(StrakeClientError) in
            try await client.addRole(name)
        }
    }

    static func roleDelete(_ context: CommandContext) async throws(CommandFailure) {
        let name = try name(context, "role delete command requires role name as its argument")
        try await change(context, "Role \(name) deleted") { client async throws(StrakeClientError) in
            try await client.deleteRole(name)
        }
    }

    static func roleGet(_ context: CommandContext) async throws(CommandFailure) {
        let name = try name(context, "role get command requires role name as its argument")
        try context.printer.role(
            name,
            try await context.ask { client async throws(StrakeClientError) in
                try await client.permissions(ofRole: name)
            })
    }

    static func roleList(_ context: CommandContext) async throws(CommandFailure) {
        try expectNone(context, "role list command requires no arguments")
        try context.printer.roles(
            try await context.ask { client async throws(StrakeClientError) in try await client.roles() })
    }

    static func roleGrant(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count >= 3 else {
            throw .arguments(
                "role grant command requires role name, permission type, and key [endkey] as its argument")
        }
        let name = context.words[0]
        let kind: RolePermission.Kind
        switch context.words[1].uppercased() {
        case "READ": kind = .read
        case "WRITE": kind = .write
        case "READWRITE": kind = .readWrite
        default: throw .arguments("invalid permission type: \(context.words[1])")
        }
        let range = try range(context.arguments.rawWords.dropFirst(2), context.arguments)
        try await change(context, "Role \(name) updated") { client async throws(StrakeClientError) in
            try await client.grantPermission(RolePermission(kind, on: range), toRole: name)
        }
    }

    static func roleRevoke(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.count >= 2 else {
            throw .arguments(
                "role revoke-permission command requires role name and key [endkey] as its argument")
        }
        let name = context.words[0]
        let range = try range(context.arguments.rawWords.dropFirst(1), context.arguments)
        let header = try await context.ask { client async throws(StrakeClientError) in
            try await client.revokePermission(on: range, fromRole: name)
        }
        let typed = KeyRange(lower: context.arguments.rawWords[1], upper: range.upper)
        try context.printer.permissionRevoked(typed, name, header)
    }

    /// etcdctl's reading: the empty key is the first one there can be, and words behind the range end count for nothing.
    private static func range(
        _ words: ArraySlice<[UInt8]>, _ arguments: CommandArguments
    ) throws(CommandFailure) -> KeyRange {
        let (isPrefix, isFrom) = (arguments.flag("prefix"), arguments.flag("from-key"))
        let key = words[words.startIndex]
        let exclusive = CommandFailure.arguments("--from-key and --prefix flags are mutually exclusive")
        if key.isEmpty {
            if isPrefix && isFrom { throw exclusive }
            return isPrefix || isFrom ? .all : .key([0])
        }
        guard words.count > 1 else {
            if isPrefix && isFrom { throw exclusive }
            if isPrefix { return .prefix(key) }
            return isFrom ? .from(key) : .key(key)
        }
        if isPrefix { throw .arguments("unexpected endkey argument with --prefix flag") }
        if isFrom { throw .arguments("unexpected endkey argument with --from-key flag") }
        return KeyRange(key: key, rangeEnd: words[words.startIndex + 1])
    }
}
