internal import Glibc

/// etcdctl's commands, and those beyond it that are given in the same way.
struct EtcdctlCommand {
    private struct Entry: Sendable {
        /// The words that name it, and what is given to it.
        var usage: String
        var help: String
        /// What its own help says beside that.
        var details = ""
        var flags: [CommandFlag] = []
        var run: @Sendable (CommandContext) async throws(CommandFailure) -> Void

        var words: [String] {
            usage.split(separator: " ").prefix { $0.first?.isLetter ?? false }.map(String.init)
        }
    }

    /// etcdctl's flags for all commands.
    static let commonFlags = [
        CommandFlag("endpoints", .text, "127.0.0.1:2379", "gRPC endpoints"),
        CommandFlag(
            "command-timeout", .duration, "5s", "timeout for short running command (excluding dial timeout)"),
        CommandFlag("dial-timeout", .duration, "2s", "dial timeout for client connections"),
        CommandFlag(
            "keepalive-time", .duration, "2s",
            "keepalive time for client connections; raised to 10s, as servers end connections that ask too often"),
        CommandFlag("keepalive-timeout", .duration, "6s", "keepalive timeout for client connections"),
        CommandFlag("cacert", .text, "", "authorities that servers' certificates come from, PEM"),
        CommandFlag("cert", .text, "", "certificate to show to servers, PEM"),
        CommandFlag("key", .text, "", "key of --cert, PEM"),
        CommandFlag(
            "insecure-transport", .flag, "true",
            "without TLS where an endpoint has no scheme and no flag speaks of certificates"),
        CommandFlag("insecure-skip-tls-verify", .flag, "false", "take any server's certificate"),
        CommandFlag(
            "discovery-srv", short: "d", .text, "",
            "domain whose SRV records say where the cluster serves clients: _etcd-client-ssl._tcp, _etcd-client._tcp"),
        CommandFlag(
            "discovery-srv-name", .text, "",
            "ask for the records of _etcd-client-ssl-NAME._tcp and _etcd-client-NAME._tcp"),
        CommandFlag("insecure-discovery", .flag, "true", "take records of endpoints without TLS too"),
        CommandFlag(
            "user", .text, "", "username[:password] for authentication (asked for if password is not supplied)"),
        CommandFlag(
            "password", .text, "", "password for authentication; --user is the name alone then"),
        CommandFlag("hex", .flag, "false", "print byte strings as hex encoded strings"),
        CommandFlag(
            "write-out", short: "w", .text, "simple", "set the output format (fields, json, protobuf, simple, table)"),
    ]

    private static let entries: [Entry] =
        kvEntries + leaseEntries + memberEntries + endpointEntries + authEntries + userEntries + roleEntries
        + otherEntries

    private static let kvEntries = [
        Entry(
            usage: "get [options] <key> [range_end]", help: "Gets the key or a range of keys",
            flags: KVRequests.getFlags, run: KVCommands.get),
        Entry(
            usage: "put [options] <key> <value> (<value> can also be given from stdin)",
            help: "Puts the given key into the store", flags: KVRequests.putFlags, run: KVCommands.put),
        Entry(
            usage: "del [options] <key> [range_end]",
            help: "Removes the specified key or range of keys [key, range_end)", flags: KVRequests.deleteFlags,
            run: KVCommands.delete),
        Entry(
            usage: "txn [options]", help: "Txn processes all the requests in one transaction",
            flags: TxnCommand.flags, run: TxnCommand.run),
        Entry(
            usage: "compaction [options] <revision>",
            help: "Compacts the event history in etcd", flags: KVCommands.compactionFlags, run: KVCommands.compact),
        Entry(
            usage: "watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
            help: "Watches events stream on keys or prefixes", flags: WatchCommand.flags, run: WatchCommand.run),
        Entry(
            usage: "history <key>", help: "Shows all changes of a key that compaction has left",
            run: HistoryCommands.history),
        Entry(
            usage: "diff [options] <from revision> <to revision>",
            help: "Shows what differs between two revisions", flags: HistoryCommands.diffFlags,
            run: HistoryCommands.diff),
    ]

    private static let leaseEntries = [
        Entry(usage: "lease grant <ttl>", help: "Creates leases", run: LeaseCommands.grant),
        Entry(
            usage: "lease revoke <leaseID>", help: "Revokes leases",
            run: LeaseCommands.revoke),
        Entry(
            usage: "lease timetolive <leaseID> [options]",
            help: "Get lease information", flags: LeaseCommands.timeToLiveFlags, run: LeaseCommands.timeToLive),
        Entry(usage: "lease list", help: "List all active leases", run: LeaseCommands.list),
        Entry(
            usage: "lease keep-alive [options] <leaseID>",
            help: "Keeps leases alive (renew)", flags: LeaseCommands.keepAliveFlags, run: LeaseCommands.keepAlive),
    ]

    private static let memberEntries = [
        Entry(
            usage: "member add <memberName> [options]",
            help: "Adds a member into the cluster", flags: MemberCommands.addFlags, run: MemberCommands.add),
        Entry(
            usage: "member remove <memberID>",
            help: "Removes a member from the cluster", run: MemberCommands.remove),
        Entry(
            usage: "member update <memberID> [options]",
            help: "Updates a member in the cluster", flags: MemberCommands.updateFlags, run: MemberCommands.update),
        Entry(
            usage: "member list", help: "Lists all members in the cluster",
            run: MemberCommands.list),
        Entry(
            usage: "member promote <memberID>",
            help: "Promotes a non-voting member in the cluster", run: MemberCommands.promote),
    ]

    private static let endpointEntries = [
        Entry(
            usage: "endpoint health",
            help: "Checks the healthiness of endpoints specified in `--endpoints` flag",
            flags: EndpointCommands.flags, run: EndpointCommands.health),
        Entry(
            usage: "endpoint status",
            help: "Prints out the status of endpoints specified in `--endpoints` flag", flags: EndpointCommands.flags,
            run: EndpointCommands.status),
        Entry(
            usage: "endpoint hashkv",
            help: "Prints the KV history hash for each endpoint in --endpoints", flags: EndpointCommands.hashFlags,
            run: EndpointCommands.hashKV),
        Entry(
            usage: "alarm list", help: "Lists all alarms", run: EndpointCommands.alarms),
        Entry(
            usage: "alarm disarm", help: "Disarms all alarms",
            run: EndpointCommands.disarm),
        Entry(
            usage: "defrag",
            help: "Defragments the storage of the etcd members with given endpoints",
            flags: EndpointCommands.flags, run: EndpointCommands.defragment),
        Entry(
            usage: "move-leader <transferee-member-id>",
            help: "Transfers leadership to another etcd cluster member.", run: EndpointCommands.moveLeader),
    ]

    private static let authEntries = [
        Entry(
            usage: "auth enable", help: "Enables authentication", run: AuthCommands.enable),
        Entry(
            usage: "auth disable", help: "Disables authentication",
            run: AuthCommands.disable),
        Entry(
            usage: "auth status", help: "Returns authentication status",
            run: AuthCommands.status),
    ]

    private static let userEntries = [
        Entry(
            usage: "user add <user name or user:password> [options]", help: "Adds a new user",
            flags: AuthCommands.userAddFlags, run: AuthCommands.userAdd),
        Entry(
            usage: "user delete <user name>", help: "Deletes a user",
            run: AuthCommands.userDelete),
        Entry(
            usage: "user get <user name> [options]",
            help: "Gets detailed information of a user", flags: AuthCommands.userGetFlags, run: AuthCommands.userGet),
        Entry(usage: "user list", help: "Lists all users", run: AuthCommands.userList),
        Entry(
            usage: "user passwd <user name> [options]", help: "Changes password of user",
            flags: AuthCommands.userPasswordFlags, run: AuthCommands.userPassword),
        Entry(
            usage: "user grant-role <user name> <role name>",
            help: "Grants a role to a user", run: AuthCommands.userGrantRole),
        Entry(
            usage: "user revoke-role <user name> <role name>",
            help: "Revokes a role from a user", run: AuthCommands.userRevokeRole),
    ]

    private static let roleEntries = [
        Entry(
            usage: "role add <role name>", help: "Adds a new role", run: AuthCommands.roleAdd),
        Entry(
            usage: "role delete <role name>", help: "Deletes a role",
            run: AuthCommands.roleDelete),
        Entry(
            usage: "role get <role name>", help: "Gets detailed information of a role",
            run: AuthCommands.roleGet),
        Entry(usage: "role list", help: "Lists all roles", run: AuthCommands.roleList),
        Entry(
            usage: "role grant-permission [options] <role name> <permission type> <key> [endkey]",
            help: "Grants a key to a role", flags: AuthCommands.roleGrantFlags, run: AuthCommands.roleGrant),
        Entry(
            usage: "role revoke-permission [options] <role name> <key> [endkey]", help: "Revokes a key from a role",
            flags: AuthCommands.roleRevokeFlags, run: AuthCommands.roleRevoke),
    ]

    private static let otherEntries = [
        Entry(
            usage: "downgrade validate <TARGET_VERSION>",
            help: "Validate downgrade capability before starting downgrade", run: DowngradeCommands.validate),
        Entry(
            usage: "downgrade enable <TARGET_VERSION>",
            help: "Start a downgrade action to cluster; a Strake cluster refuses", run: DowngradeCommands.enable),
        Entry(
            usage: "downgrade cancel",
            help: "Cancel the ongoing downgrade action to cluster", run: DowngradeCommands.cancel),
        Entry(
            usage: "lock <lockname> [exec-command arg1 arg2 ...]", help: "Acquires a named lock",
            flags: SessionCommands.lockFlags, run: SessionCommands.lock),
        Entry(
            usage: "elect <election-name> [proposal]",
            help: "Observes and participates in leader election", flags: SessionCommands.electFlags,
            run: SessionCommands.elect),
        Entry(
            usage: "make-mirror [options] <destination>",
            help: "Makes a mirror at the destination etcd cluster", flags: MirrorCommand.flags,
            run: MirrorCommand.run),
        Entry(
            usage: "check perf [options]",
            help: "Check the performance of the etcd cluster", flags: CheckPerfCommand.flags,
            run: CheckPerfCommand.run),
        Entry(
            usage: "check datascale [options]",
            help: "Check the memory usage of holding data for different workloads on a given server endpoint.",
            flags: CheckDatascaleCommand.flags, run: CheckDatascaleCommand.run),
        Entry(
            usage: "top [options]", help: TopCommand.help, details: TopCommand.details,
            flags: TopCommand.flags, run: TopCommand.run),
    ]

    // MARK: - Running

    private let entry: Entry
    /// What is left of the command line.
    private let arguments: [[UInt8]]

    /// Nil when the command line names none of these commands.
    init?(_ words: [String]) {
        let places = Self.commandPlaces(words)
        let found = Self.entries.first { entry in
            entry.words == places.prefix(entry.words.count).map { words[$0] }
        }
        guard let found else { return nil }
        entry = found
        let taken = Set(places.prefix(found.words.count))
        arguments = RawArguments.last(words).enumerated().filter { !taken.contains($0.offset) }.map(\.element)
    }

    /// Where the words stand that name a command, of which there are two at most.
    static func commandPlaces(_ words: [String]) -> [Int] {
        var places: [Int] = []
        var place = 0
        while place < words.count, places.count < 2 {
            let word = words[place]
            if word == "--" { break }
            if word.hasPrefix("-") {
                place += takesValue(word) ? 2 : 1
                continue
            }
            places.append(place)
            place += 1
        }
        return places
    }

    private static func takesValue(_ word: String) -> Bool {
        if word.contains("=") { return false }
        let flag = commonFlags.first { flag in
            word == "--\(flag.name)" || flag.short.map { word == "-\($0)" } ?? false
        }
        return flag.map { $0.kind != .flag } ?? false
    }

    /// Returns the process's exit code.
    func run() async -> Int32 {
        do throws(CommandFailure) {
            var parsed = try CommandArguments(arguments, flags: entry.flags + Self.commonFlags)
            if parsed.asksForHelp {
                CommandOutput.line(help)
                return 0
            }
            try parsed.fill { name in getenv(name).map { String(cString: $0) } }
            try await EndpointDiscovery.fill(&parsed)
            try await entry.run(try CommandContext(parsed))
            return 0
        } catch {
            if let message = error.message { CommandOutput.complaint("Error: \(message)") }
            return error.exitCode
        }
    }

    private var help: String {
        let list = { (flags: [CommandFlag]) in
            flags.map { flag in
                "  \(flag.short.map { "-\($0), " } ?? "    ")--\(flag.name)=\(flag.fallback)\n          \(flag.help)"
            }.joined(separator: "\n")
        }
        let details = entry.details.isEmpty ? "" : "\n\(entry.details)\n"
        let own = entry.flags.isEmpty ? "" : "\nOptions:\n\n\(list(entry.flags))\n"
        return """
            \(entry.help)

            Usage:

              strake ctl \(entry.usage)
            \(details)\(own)
            Options of all commands, also as ETCDCTL_ENDPOINTS and so on:

            \(list(Self.commonFlags))
            """
    }

    /// What each command is given and does.
    ///
    /// - Parameter group: Their first word; nil lists all.
    static func listing(of group: String? = nil) -> [String] {
        entries.filter { group == nil || $0.words[0] == group }
            .map { "  strake ctl \($0.usage)\n      \($0.help)" }
    }
}

/// The process's words as they were typed: keys may be no UTF-8.
enum RawArguments {
    /// The bytes of the last words of the command line.
    static func last(_ words: [String]) -> [[UInt8]] {
        let count = Int(CommandLine.argc)
        guard count >= words.count else { return words.map { Array($0.utf8) } }
        return (count - words.count..<count).map { index in
            guard let word = CommandLine.unsafeArgv[index] else { return [] }
            return Array(UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }
    }
}
