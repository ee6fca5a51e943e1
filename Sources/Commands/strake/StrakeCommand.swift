internal import Glibc
internal import StrakeBench
internal import StrakeCtl

/// The multi-call binary. Called as `etcd` it takes etcd's flags directly, so that scripts which start etcd work
/// unchanged.
@main
struct StrakeCommand {
    static func main() async {
        guard let words = ProcessArguments.all() else {
            complain("strake: cannot read its arguments from /proc/self/cmdline: \(String(cString: strerror(errno)))")
            exit(1)
        }
        FileLimit.raise()
        let name = String(words.first?.split(separator: "/").last ?? "strake")
        let arguments = Array(words.dropFirst())
        if name == "etcd" {
            await ServerCommand(calledAs: name, usage: name).run(arguments)
        }
        if name == "etcdctl" {
            exit(await CtlCommand(Program(name: name, versionText: Version.text(calledAs: name))).run(arguments))
        }
        guard let command = arguments.first else {
            print(usage)
            exit(2)
        }
        await run(command, Array(arguments.dropFirst()), calledAs: name)
    }

    private static func run(_ command: String, _ arguments: [String], calledAs name: String) async {
        switch command {
        case "server": await ServerCommand(calledAs: name, usage: "strake server").run(arguments)
        case "bench": exit(await BenchCommand().run(arguments))
        case "simulate": exit(SimulateCommand().run(arguments))
        case "check-history": exit(CheckHistoryCommand().run(arguments))
        case "ctl": exit(await CtlCommand(program(calledAs: name)).run(arguments))
        case "version", "--version", "-version": print(Version.text(calledAs: name))
        case "help", "--help", "-help", "-h":
            if let topic = arguments.first, topic != "version", !topic.contains("help") {
                await run(topic, ["--help"], calledAs: name)
            } else {
                print(usage)
            }
        default:
            complain("strake: unknown command \"\(command)\"; 'strake help' lists them")
            exit(2)
        }
    }

    private static func program(calledAs name: String) -> Program {
        Program(
            name: name, versionText: Version.text(calledAs: name),
            siblings: ["server", "bench", "simulate", "check-history", "ctl", "version", "help"])
    }

    private static let usage = """
        Strake is a revisioned key-value database with watch that speaks etcd's v3 API.

        Usage:

          strake server [flags]   start a member; 'strake server --help' lists the flags
          strake bench <workload> load a server, Strake or etcd; 'strake bench --help' lists workloads and flags
          strake simulate [flags] try to break a simulated cluster; 'strake simulate --help' says how
          strake check-history F  judge what clients of a cluster saw; 'strake check-history --help' says how
          strake ctl <command>    ask things of a cluster; 'strake ctl --help' lists commands and flags
          strake version          print the version

        Called as 'etcd' (a link to this file) it takes the flags of 'strake server' directly, as 'etcdctl' the commands of
        'strake ctl'.
        """

    /// Writes a line for the operator.
    static func complain(_ line: String) {
        var text = line + "\n"
        // One call a line, so that lines of several threads do not mix.
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
