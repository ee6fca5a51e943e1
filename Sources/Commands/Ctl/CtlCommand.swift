internal import Glibc
internal import StrakeFlags

/// `strake ctl`: what an operator asks of a cluster that etcdctl has no command for.
package struct CtlCommand {
    package init() {}

    /// Runs and returns the process's exit code.
    package func run(_ arguments: [String]) async -> Int32 {
        var flags = FlagSet(Self.flags, takesWords: true)
        do throws(FlagError) {
            try flags.parse(arguments: arguments, environment: [:])
        } catch {
            Self.complain("\(error.message); 'strake ctl --help' lists the flags")
            return 2
        }
        if flags.asksForHelp || flags.words.isEmpty || flags.words == ["help"] {
            print(Self.help)
            return flags.asksForHelp || !flags.words.isEmpty ? 0 : 2
        }
        guard flags.words.starts(with: ["member", "replace"]) else {
            Self.complain("unknown command \"\(flags.words.joined(separator: " "))\"; 'strake ctl --help' lists them")
            return 2
        }
        do throws(CtlError) {
            try await MemberReplace(Array(flags.words.dropFirst(2)), flags).run()
            return 0
        } catch {
            Self.complain(error.description)
            return error.exitCode
        }
    }

    static let flags = [
        Flag(
            name: "endpoints", kind: .endpoints, fallback: "127.0.0.1:2379",
            help: "Members to ask, comma-separated host:port; the next one is asked when one does not answer.",
            section: "Flags"),
        Flag(
            name: "timeout", kind: .duration, fallback: "0",
            help: "How long to wait for the new member; 0 is without end.", section: "Flags"),
    ]

    private static var help: String {
        """
        Asks things of a Strake cluster that etcdctl has no command for.

        Usage:

          strake ctl member replace OLD_ID NAME PEER_URLS [flags]

        Puts a new member in the place of an old one, which may be dead. OLD_ID is as `etcdctl member list` prints it;
        NAME and PEER_URLS (comma-separated, not the old member's) are the new member's. In this order:

          1. The new member is added as a learner. The command prints what to start it with.
          2. It catches up, by a snapshot if need be. The command shows how far it is.
          3. One joint change makes it a voter and removes the old member: at no time has the cluster
             one voter more, or one less.

        The command can be stopped and given again at any time; it goes on where the cluster stands. To call a
        replacement off, stop the command and remove the new member with `etcdctl member remove`.

        \(FlagSet(flags).listing)
        Example:

          strake ctl member replace 8e9e05c52164694d m4 http://10.0.0.4:2380 --endpoints 10.0.0.1:2379,10.0.0.2:2379
        """
    }

    /// Writes a line for the operator.
    static func complain(_ line: String) {
        var text = "strake ctl: \(line)\n"
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
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
