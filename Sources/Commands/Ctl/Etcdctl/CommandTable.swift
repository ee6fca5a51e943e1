/// Every command of `strake ctl`, in the order that help lists them in.
enum CommandTable {
    static let entries: [CommandEntry] =
        kvEntries + leaseEntries + memberEntries + endpointEntries + authEntries + userEntries + roleEntries
        + snapshotEntries + otherEntries + localEntries

    /// The words as commands are called: a word that begins only one of them stands for it, as with etcdctl.
    static func spelledOut(_ typed: [String]) -> [String] {
        guard let first = typed.first else { return [] }
        let name = only(first, among: entries.map { $0.words[0] })
        guard typed.count > 1 else { return [name] }
        let members = entries.filter { $0.words.count == 2 && $0.words[0] == name }.map { $0.words[1] }
        return [name, only(typed[1], among: members)]
    }

    /// The name itself, or else the one that the word begins.
    private static func only(_ word: String, among names: [String]) -> String {
        let found = Set(names.filter { $0.hasPrefix(word) })
        return found.contains(word) || found.count != 1 ? word : found.first ?? word
    }

    private static let kvEntries = [
        CommandEntry(
            usage: "get [options] <key> [range_end]", help: "Gets the key or a range of keys",
            flags: KVRequests.getFlags, run: KVCommands.get),
        CommandEntry(
            usage: "put [options] <key> <value> (<value> can also be given from stdin)",
            help: "Puts the given key into the store", flags: KVRequests.putFlags, run: KVCommands.put),
        CommandEntry(
            usage: "del [options] <key> [range_end]",
            help: "Removes the specified key or range of keys [key, range_end)", flags: KVRequests.deleteFlags,
            run: KVCommands.delete),
        CommandEntry(
            usage: "txn [options]", help: "Txn processes all the requests in one transaction",
            flags: TxnCommand.flags, run: TxnCommand.run),
        CommandEntry(
            usage: "compaction [options] <revision>",
            help: "Compacts the event history in etcd", flags: KVCommands.compactionFlags, run: KVCommands.compact),
        CommandEntry(
            usage: "watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
            help: "Watches events stream on keys or prefixes", flags: WatchCommand.flags, run: WatchCommand.run),
        CommandEntry(
            usage: "history <key>", help: "Shows all changes of a key that compaction has left",
            run: HistoryCommand.run),
        CommandEntry(
            usage: "diff [options] <from revision> <to revision>",
            help: "Shows what differs between two revisions", flags: DiffCommand.flags,
            run: DiffCommand.run),
    ]

    private static let leaseEntries = [
        CommandEntry(usage: "lease grant <ttl>", help: "Creates leases", run: LeaseCommands.grant),
        CommandEntry(
            usage: "lease revoke <leaseID>", help: "Revokes leases",
            run: LeaseCommands.revoke),
        CommandEntry(
            usage: "lease timetolive <leaseID> [options]",
            help: "Get lease information", flags: LeaseCommands.timeToLiveFlags, run: LeaseCommands.timeToLive),
        CommandEntry(usage: "lease list", help: "List all active leases", run: LeaseCommands.list),
        CommandEntry(
            usage: "lease keep-alive [options] <leaseID>",
            help: "Keeps leases alive (renew)", flags: LeaseCommands.keepAliveFlags, run: LeaseCommands.keepAlive),
    ]

    private static let memberEntries = [
        CommandEntry(
            usage: "member add <memberName> [options]",
            help: "Adds a member into the cluster", flags: MemberCommands.addFlags, run: MemberCommands.add),
        CommandEntry(
            usage: "member remove <memberID>",
            help: "Removes a member from the cluster", run: MemberCommands.remove),
        CommandEntry(
            usage: "member update <memberID> [options]",
            help: "Updates a member in the cluster", flags: MemberCommands.updateFlags, run: MemberCommands.update),
        CommandEntry(
            usage: "member list", help: "Lists all members in the cluster",
            run: MemberCommands.list),
        CommandEntry(
            usage: "member promote <memberID>",
            help: "Promotes a non-voting member in the cluster", run: MemberCommands.promote),
        CommandEntry(
            usage: "member replace <OLD_ID> <NAME> <PEER_URLS> [options]", help: MemberReplace.help,
            details: MemberReplace.details, flags: MemberReplace.flags,
            run: { context async throws(CommandFailure) in try await MemberReplace(context).run() }),
    ]

    private static let endpointEntries = [
        CommandEntry(
            usage: "endpoint health",
            help: "Checks the healthiness of endpoints specified in `--endpoints` flag",
            flags: EndpointCommands.flags, run: EndpointCommands.health),
        CommandEntry(
            usage: "endpoint status",
            help: "Prints out the status of endpoints specified in `--endpoints` flag", flags: EndpointCommands.flags,
            run: EndpointCommands.status),
        CommandEntry(
            usage: "endpoint hashkv",
            help: "Prints the KV history hash for each endpoint in --endpoints", flags: EndpointCommands.hashFlags,
            run: EndpointCommands.hashKV),
        CommandEntry(
            usage: "alarm list", help: "Lists all alarms", run: EndpointCommands.alarms),
        CommandEntry(
            usage: "alarm disarm", help: "Disarms all alarms",
            run: EndpointCommands.disarm),
        CommandEntry(
            usage: "defrag",
            help: "Defragments the storage of the etcd members with given endpoints",
            flags: EndpointCommands.defragmentFlags, run: EndpointCommands.defragment),
        CommandEntry(
            usage: "move-leader <transferee-member-id>",
            help: "Transfers leadership to another etcd cluster member.", run: EndpointCommands.moveLeader),
    ]

    private static let authEntries = [
        CommandEntry(
            usage: "auth enable", help: "Enables authentication", run: AuthCommands.enable),
        CommandEntry(
            usage: "auth disable", help: "Disables authentication",
            run: AuthCommands.disable),
        CommandEntry(
            usage: "auth status", help: "Returns authentication status",
            run: AuthCommands.status),
    ]

    private static let userEntries = [
        CommandEntry(
            usage: "user add <user name or user:password> [options]", help: "Adds a new user",
            flags: AuthCommands.userAddFlags, run: AuthCommands.userAdd),
        CommandEntry(
            usage: "user delete <user name>", help: "Deletes a user",
            run: AuthCommands.userDelete),
        CommandEntry(
            usage: "user get <user name> [options]",
            help: "Gets detailed information of a user", flags: AuthCommands.userGetFlags, run: AuthCommands.userGet),
        CommandEntry(usage: "user list", help: "Lists all users", run: AuthCommands.userList),
        CommandEntry(
            usage: "user passwd <user name> [options]", help: "Changes password of user",
            flags: AuthCommands.userPasswordFlags, run: AuthCommands.userPassword),
        CommandEntry(
            usage: "user grant-role <user name> <role name>",
            help: "Grants a role to a user", run: AuthCommands.userGrantRole),
        CommandEntry(
            usage: "user revoke-role <user name> <role name>",
            help: "Revokes a role from a user", run: AuthCommands.userRevokeRole),
    ]

    private static let roleEntries = [
        CommandEntry(
            usage: "role add <role name>", help: "Adds a new role", run: AuthCommands.roleAdd),
        CommandEntry(
            usage: "role delete <role name>", help: "Deletes a role",
            run: AuthCommands.roleDelete),
        CommandEntry(
            usage: "role get <role name>", help: "Gets detailed information of a role",
            run: AuthCommands.roleGet),
        CommandEntry(usage: "role list", help: "Lists all roles", run: AuthCommands.roleList),
        CommandEntry(
            usage: "role grant-permission [options] <role name> <permission type> <key> [endkey]",
            help: "Grants a key to a role", flags: AuthCommands.roleGrantFlags, run: AuthCommands.roleGrant),
        CommandEntry(
            usage: "role revoke-permission [options] <role name> <key> [endkey]", help: "Revokes a key from a role",
            flags: AuthCommands.roleRevokeFlags, run: AuthCommands.roleRevoke),
    ]

    private static let snapshotEntries = [
        CommandEntry(
            usage: "snapshot save <filename>", help: "Stores a member's snapshot to a given file",
            details: SnapshotSave.details,
            run: { context async throws(CommandFailure) in try await SnapshotSave(context).run() }),
        CommandEntry(
            usage: "snapshot status <filename>", help: "Gets the status of a snapshot in a file",
            details: SnapshotStatus.details, reach: .local,
            run: { context async throws(CommandFailure) in try SnapshotStatus(context).run() }),
        CommandEntry(
            usage: "snapshot restore <filename> | --from-etcd <directory> [options]",
            help: "Restores a snapshot, or what an etcd has left, to the data directory of a member",
            details: SnapshotRestore.details, flags: SnapshotRestore.flags, reach: .local,
            run: { context async throws(CommandFailure) in try SnapshotRestore(context).run() }),
    ]

    private static let otherEntries = [
        CommandEntry(
            usage: "downgrade validate <TARGET_VERSION>",
            help: "Validate downgrade capability before starting downgrade", run: DowngradeCommands.validate),
        CommandEntry(
            usage: "downgrade enable <TARGET_VERSION>",
            help: "Start a downgrade action to cluster; a Strake cluster refuses", run: DowngradeCommands.enable),
        CommandEntry(
            usage: "downgrade cancel",
            help: "Cancel the ongoing downgrade action to cluster", run: DowngradeCommands.cancel),
        CommandEntry(
            usage: "lock <lockname> [exec-command arg1 arg2 ...]", help: "Acquires a named lock",
            flags: SessionCommands.lockFlags, run: SessionCommands.lock),
        CommandEntry(
            usage: "elect <election-name> [proposal]",
            help: "Observes and participates in leader election", flags: SessionCommands.electFlags,
            run: SessionCommands.elect),
        CommandEntry(
            usage: "make-mirror [options] <destination>",
            help: "Makes a mirror at the destination etcd cluster", flags: MirrorCommand.flags,
            run: MirrorCommand.run),
        CommandEntry(
            usage: "check perf [options]",
            help: "Check the performance of the etcd cluster", flags: CheckPerfCommand.flags,
            run: CheckPerfCommand.run),
        CommandEntry(
            usage: "check datascale [options]",
            help: "Check the memory usage of holding data for different workloads on a given server endpoint.",
            flags: CheckDatascaleCommand.flags, run: CheckDatascaleCommand.run),
        CommandEntry(
            usage: "top [options]", help: TopCommand.help, details: TopCommand.details,
            flags: TopCommand.flags, run: TopCommand.run),
    ]

    private static let localEntries = [
        CommandEntry(
            usage: "version", help: "Prints the version", reach: .local,
            run: { context async throws(CommandFailure) in CommandOutput.line(context.program.versionText) }),
        CommandEntry(
            usage: "options", help: "Prints the options that all commands take", reach: .local,
            run: { _ async throws(CommandFailure) in
                CommandOutput.line(
                    "The following options can be passed to any command:\n\n"
                        + CommandFlag.listing(EtcdctlCommand.commonFlags))
            }),
        CompletionCommand.entry("bash", BashCompletion.details, BashCompletion.script),
        CompletionCommand.entry("zsh", ZshCompletion.details, ZshCompletion.script),
        CompletionCommand.entry("fish", FishCompletion.details, FishCompletion.script),
        CompletionCommand.entry("powershell", PowerShellCompletion.details, PowerShellCompletion.script),
    ]
}
