internal import Glibc

/// `strake ctl`: etcdctl's commands, what an operator asks of a cluster that etcdctl has no command for, and snapshots.
package struct CtlCommand {
    private let program: Program

    package init(_ program: Program) {
        self.program = program
    }

    /// Runs and returns the process's exit code.
    package func run(_ arguments: [String]) async -> Int32 {
        let places = EtcdctlCommand.commandPlaces(arguments)
        if let place = places.first, arguments[place] == "help" {
            return Self.help(of: Array(arguments[(place + 1)...]))
        }
        if let command = EtcdctlCommand(arguments) { return await command.run(by: program) }
        if let group = CommandGroup(arguments) { return group.run() }
        return Self.help(of: arguments)
    }

    /// What there is to say of the words: of a command, of a group, or of all when there are none.
    private static func help(of arguments: [String]) -> Int32 {
        if let command = EtcdctlCommand(arguments) {
            command.showHelp()
            return 0
        }
        if let group = CommandGroup(arguments) { return group.run() }
        do throws(CommandFailure) {
            let flags = EtcdctlCommand.commonFlags
            let words = try CommandArguments(arguments.map { Array($0.utf8) }, flags: flags).words
            guard words.isEmpty else {
                let name = words.joined(separator: " ")
                complain("unknown command \"\(name)\"; 'strake ctl --help' lists them")
                return 2
            }
            CommandOutput.line(overview)
            return 0
        } catch {
            CommandOutput.complaint("Error: \(error.message ?? "")")
            return error.exitCode
        }
    }

    private static var overview: String {
        """
        Does what etcdctl does, in its words and with its output; asks things of a Strake cluster that etcdctl has no
        command for; works with snapshots.

        Usage:

        \(EtcdctlCommand.listing().joined(separator: "\n"))

        'strake ctl COMMAND --help' lists a command's flags, 'strake ctl options' those of all commands. They may also be
        given as etcdctl's environment variables (ETCDCTL_ENDPOINTS, ETCDCTL_USER). A command's words may be cut short where
        no other one begins like that ('mem li'). Where the cluster has authentication enabled, --user NAME asks for the
        password and does not show it; a command line can be read by others. top, history, diff and member replace are beyond
        etcdctl, as are get --as-of, watch --exec and snapshot restore --from-etcd.

        Examples:

          strake ctl --endpoints 10.0.0.1:2379,10.0.0.2:2379 endpoint status -w table
          strake ctl snapshot save backup.db --endpoints 10.0.0.1:2379
          strake ctl snapshot restore --from-etcd /var/lib/etcd --data-dir /var/lib/strake
          strake ctl snapshot restore backup.db --data-dir /var/lib/strake --name m1 \\
            --initial-cluster m1=http://10.0.0.1:2380 --initial-advertise-peer-urls http://10.0.0.1:2380
          source <(strake ctl completion bash)
        """
    }

    /// Writes a line for the operator.
    private static func complain(_ line: String) { CommandOutput.complaint("strake ctl: \(line)") }
}
