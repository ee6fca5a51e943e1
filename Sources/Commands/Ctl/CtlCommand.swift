internal import Glibc
internal import StrakeClientFlags
internal import StrakeFlags
internal import StrakeTLS

/// `strake ctl`: etcdctl's commands, what an operator asks of a cluster that etcdctl has no command for, and snapshots.
package struct CtlCommand {
    private let versionText: String

    /// - Parameter versionText: What `version` prints.
    package init(versionText: String) {
        self.versionText = versionText
    }

    /// Runs and returns the process's exit code.
    package func run(_ arguments: [String]) async -> Int32 {
        if let command = EtcdctlCommand(arguments) { return await command.run() }
        if let group = CommandGroup(arguments) { return group.run() }
        var flags = FlagSet(Self.flags, takesWords: true)
        do throws(FlagError) {
            try flags.parse(arguments: arguments.map(Self.spelledOut))
            if !flags.asksForHelp {
                let isStatus = flags.words.prefix(2) == ["snapshot", "status"]
                let names = Self.connectionFlags + (isStatus ? ["write-out"] : [])
                try flags.fill(names, prefix: "ETCDCTL_") { getenv($0).map { String(cString: $0) } }
            }
        } catch {
            Self.complain("\(error.message); 'strake ctl --help' lists the flags")
            return 2
        }
        if flags.asksForHelp || flags.words.isEmpty || flags.words == ["help"] {
            print(Self.help)
            return flags.asksForHelp || !flags.words.isEmpty ? 0 : 2
        }
        let words = Array(flags.words.dropFirst(2))
        do throws(CtlError) {
            switch Array(flags.words.prefix(2)) {
            case ["member", "replace"]: try await MemberReplace(words, flags).run()
            case ["snapshot", "save"]: try await SnapshotSave(words, flags).run()
            case ["snapshot", "status"]: try SnapshotStatus(words, flags).run()
            case ["snapshot", "restore"]: try SnapshotRestore(words, flags).run()
            case ["version"]: print(versionText)
            default:
                throw CtlError(
                    "unknown command \"\(flags.words.joined(separator: " "))\"; 'strake ctl --help' lists them",
                    exitCode: 2)
            }
            return 0
        } catch {
            Self.complain(error.description)
            return error.exitCode
        }
    }

    static let flags = ownFlags + ClientSecurity.flags

    /// They may be given as etcdctl's variables. Users have a place of their own (`CtlClient`).
    private static let connectionFlags = ["endpoints", "cacert", "cert", "key", "insecure-skip-tls-verify"]

    /// etcdctl's short flag by its long name: `-w json`, `-w=json` or `-wjson`.
    private static func spelledOut(_ word: String) -> String {
        guard word.hasPrefix("-w"), !["-wal-dir", "-write-out"].contains(where: word.hasPrefix) else { return word }
        let value = word.dropFirst(2)
        return value.isEmpty || value.hasPrefix("=") ? "--write-out\(value)" : "--write-out=\(value)"
    }

    private static let ownFlags = [
        Flag(
            name: "endpoints", kind: .endpoints, fallback: "127.0.0.1:2379",
            help: "Members to ask, comma-separated host:port or URLs; the next one is asked when one does not answer.",
            section: "Flags"),
        Flag(
            name: "user", kind: .string, fallback: "",
            help: "Who asks, as NAME[:PASSWORD], where the cluster has authentication enabled. Also as ETCDCTL_USER.",
            section: "Flags"),
        Flag(
            name: "password", kind: .string, fallback: "",
            help: "The user's password; --user is the name alone then. Also as ETCDCTL_PASSWORD.",
            section: "Flags"),
        Flag(
            name: "timeout", kind: .duration, fallback: "0",
            help: "member replace: how long to wait for the new member; 0 is without end.", section: "Flags"),
        Flag(
            name: "write-out", kind: .choice(["simple", "json", "fields", "table"]), fallback: "simple",
            help: "snapshot status: simple, json, fields or table. Also as -w.", section: "Flags"),
        Flag(
            name: "name", kind: .string, fallback: "default", help: "The restored member's name.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "data-dir", kind: .string, fallback: "${name}.strake", help: "Where to restore to; must not exist.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "initial-advertise-peer-urls", kind: .urls, fallback: "http://localhost:2380",
            help: "The restored member's peer URLs.", section: "Flags of snapshot restore"),
        Flag(
            name: "initial-cluster", kind: .string, fallback: "${name}=<peer URLs>",
            help: "All members of the new cluster, as name=peer-url, comma-separated.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "initial-cluster-token", kind: .string, fallback: "etcd-cluster",
            help: "Sets clusters with the same peer URLs apart.", section: "Flags of snapshot restore"),
        Flag(
            name: "bump-revision", kind: .integer, fallback: "1000000000",
            help: "How far to move the revision on, so that it is above all that clients have seen. 0 leaves it, as "
                + "--from-etcd does if not told.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "mark-compacted", kind: .bool, fallback: "true",
            help: "Compact at the new revision: whoever watches from an older one is told to begin anew. Not with "
                + "--from-etcd when neither this nor --bump-revision is given.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "keep-members", kind: .bool, fallback: "false",
            help: "Go on with the cluster that it comes from: its members with their ids and URLs, and its place in "
                + "the log. --name says which of them this is. So it is with --from-etcd, unless flags name a new cluster.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "skip-hash-check", kind: .bool, fallback: "false",
            help: "Take a file without a checksum: a database copied from an etcd's member/snap/db.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "from-etcd", kind: .string, fallback: "",
            help: "Restore from the data directory of a stopped or killed etcd, in place of a FILE.",
            section: "Flags of snapshot restore"),
        Flag(
            name: "wal-dir", kind: .string, fallback: "",
            help: "Where that etcd kept its log, if it was started with --wal-dir.",
            section: "Flags of snapshot restore"),
    ]

    /// The commands that take these flags.
    private static let usages = [
        "member replace OLD_ID NAME PEER_URLS [flags]",
        "snapshot save FILE [flags]",
        "snapshot status FILE [flags]",
        "snapshot restore FILE [flags]",
        "snapshot restore --from-etcd DIR [flags]",
    ]

    /// - Parameter group: Their first word; nil lists all.
    static func listing(of group: String? = nil) -> [String] {
        usages.filter { group == nil || $0.hasPrefix("\(group ?? "") ") }.map { "  strake ctl \($0)" }
    }

    private static var help: String {
        """
        Does what etcdctl does, in its words and with its output; asks things of a Strake cluster that etcdctl has no
        command for; works with snapshots.

        Usage:

        \(EtcdctlCommand.listing().joined(separator: "\n"))

        'strake ctl COMMAND --help' lists a command's flags. They may also be given as etcdctl's environment variables
        (ETCDCTL_ENDPOINTS, ETCDCTL_USER). Where the cluster has authentication enabled, --user NAME asks for the
        password and does not show it; a command line can be read by others. top, history and diff are beyond etcdctl, as
        are get --as-of and watch --exec.

        \(listing().joined(separator: "\n"))

        member replace puts a new member in the place of an old one, which may be dead. OLD_ID is as `etcdctl member list`
        prints it; NAME and PEER_URLS (comma-separated, not the old member's) are the new member's. In this order:

          1. The new member is added as a learner. The command prints what to start it with.
          2. It catches up, by a snapshot if need be. The command shows how far it is.
          3. One joint change makes it a voter and removes the old member: at no time has the cluster
             one voter more, or one less.

        The command can be stopped and given again at any time; it goes on where the cluster stands. To call a
        replacement off, stop the command and remove the new member with `etcdctl member remove`.

        snapshot save writes what one member (--endpoints) has, in etcd's format; it takes etcd servers too. snapshot
        status reads all of such a file: its hash, its revision, its number of keys, its size.

        snapshot restore makes the data directory of a member of a new cluster. Every member has to be restored from the
        same file with the same flags, but for --name, --data-dir and --initial-advertise-peer-urls. Keys, old revisions,
        leases, users and roles are kept; the members too with --keep-members.

        With --from-etcd it reads an etcd's database and, behind it, its log, so that the directory of an etcd that was
        killed loses nothing; neither is changed. The member goes on in the etcd's place, with all ids and revisions. Of a
        cluster with several members, stop them all and restore each from the same directory, the one whose log is newest,
        with --name.

        \(FlagSet(flags).listing)
        Examples:

          strake ctl member replace 8e9e05c52164694d m4 http://10.0.0.4:2380 --endpoints 10.0.0.1:2379,10.0.0.2:2379
          strake ctl snapshot save backup.db --endpoints 10.0.0.1:2379
          strake ctl snapshot restore --from-etcd /var/lib/etcd --data-dir /var/lib/strake
          strake ctl snapshot restore backup.db --data-dir /var/lib/strake --name m1 \\
            --initial-cluster m1=http://10.0.0.1:2380 --initial-advertise-peer-urls http://10.0.0.1:2380
        """
    }

    /// Writes a line for the operator.
    static func complain(_ line: String) {
        var text = "strake ctl: \(line)\n"
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

extension ClientSecurity {
    static func read(_ flags: FlagSet) throws(CtlError) -> ClientSecurity {
        do throws(TLSError) {
            return try ClientSecurity(flags)
        } catch {
            throw CtlError(error.description, exitCode: 2)
        }
    }
}

/// Why a command cannot begin or go on: a sentence for the operator.
struct CtlError: Error, CustomStringConvertible {
    let description: String
    let exitCode: Int32

    init(_ description: String, exitCode: Int32 = 1) {
        self.description = description
        self.exitCode = exitCode
    }
}
