internal import Glibc

/// etcdctl's commands, and those beyond it that are given in the same way.
struct EtcdctlCommand {
    /// etcdctl's flags for all commands.
    static let commonFlags = [
        CommandFlag("endpoints", .list, "127.0.0.1:2379", "gRPC endpoints"),
        CommandFlag(
            "command-timeout", .duration, "5s", "timeout for short running command (excluding dial timeout)"),
        CommandFlag(
            "debug", .flag, "false",
            "say on the standard error which options are in force, and what is connected and called; no password is shown"
        ),
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
            "write-out", short: "w", .text, "simple", "set the output format (fields, json, protobuf, simple, table)",
            choices: Printer.Format.allCases.map(\.rawValue)),
    ]

    private let entry: CommandEntry
    /// What is left of the command line.
    private let arguments: [[UInt8]]

    /// Nil when the command line names none of these commands.
    init?(_ words: [String]) {
        let places = Self.commandPlaces(words)
        let names = CommandTable.spelledOut(places.map { words[$0] })
        let found = CommandTable.entries.first { $0.words[...] == names.prefix($0.words.count) }
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
    func run(by program: Program) async -> Int32 {
        do throws(CommandFailure) {
            var parsed = try CommandArguments(arguments, flags: entry.flags + Self.commonFlags)
            if parsed.asksForHelp {
                showHelp()
                return 0
            }
            try parsed.fill(Self.commonFlags) { name in getenv(name).map { String(cString: $0) } }
            if entry.reach == .cluster { try await EndpointDiscovery.fill(&parsed) }
            let context = try CommandContext(parsed, program)
            if entry.reach == .cluster { context.showOptions() }
            try await entry.run(context)
            return 0
        } catch {
            if let message = error.message { CommandOutput.complaint("Error: \(message)") }
            return error.exitCode
        }
    }

    func showHelp() { CommandOutput.line(entry.page) }

    /// What each command is given and does.
    ///
    /// - Parameter group: Their first word; nil lists all.
    static func listing(of group: String? = nil) -> [String] {
        CommandTable.entries.filter { group == nil || $0.words[0] == group }
            .map { "  strake ctl \($0.usage)\n      \($0.help)" }
    }
}
