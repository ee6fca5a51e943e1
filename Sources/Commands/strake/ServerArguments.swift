internal import Glibc
internal import StrakeFlags
internal import StrakeLogging

/// What a server was started with: flags, or a configuration file, or the environment.
struct ServerArguments {
    private let calledAs: String
    private let usage: String
    private var flags = FlagSet(ServerFlags.all)
    /// What to say once there is a log to say it in.
    private var news: [(ServerLog.Level, String, KeyValuePairs<String, String>)] = []

    private static let configurationVariable = "ETCD_CONFIG_FILE"

    /// Ends the process where they make no sense, or ask for help.
    init(_ arguments: [String], calledAs: String, usage: String) {
        self.calledAs = calledAs
        self.usage = usage
        do throws(FlagError) {
            try flags.parse(arguments: arguments)
        } catch {
            refuse(error)
        }
        if flags.asksForHelp {
            print(ServerFlags.helpText(command: usage))
            exit(0)
        }
        if flags.bool("version") {
            print(Version.text(calledAs: calledAs))
            exit(0)
        }
        let environment = Self.environment()
        let given = flags.string("config-file")
        let path = given.isEmpty ? environment[Self.configurationVariable] ?? "" : given
        if path.isEmpty { read(environment) } else { read(path) }
    }

    /// Flags that fit together, and the log that they ask for, which has got the warnings; or ends the process.
    func settings() -> (ServerSettings, ServerLog) {
        do throws(SettingsError) {
            let settings = try ServerSettings(flags, calledAs: calledAs)
            let log = try settings.log.open()
            for (level, message, fields) in news { log.write(level, message, fields) }
            for warning in settings.warnings { log.write(.warn, warning) }
            return (settings, log)
        } catch {
            refuse(error, ServerLog())
        }
    }

    // MARK: Sources

    private static func environment() -> [String: String] {
        var values: [String: String] = [:]
        // As the process was started: that is what somebody has written down.
        for entry in (WholeFile.bytes(of: "/proc/self/environ") ?? []).split(separator: 0) {
            let text = String(decoding: entry, as: UTF8.self)
            if text.hasPrefix("ETCD_"), let mark = text.firstIndex(of: "=") {
                values[String(text[..<mark])] = String(text[text.index(after: mark)...])
            }
        }
        return values
    }

    private mutating func read(_ environment: [String: String]) {
        do throws(FlagError) {
            try flags.parse(environment: environment)
        } catch {
            refuse(error)
        }
        for name in flags.usedEnvironment.sorted() {
            let isSecret = flags.flags.contains { $0.environmentName == name && $0.isSecret }
            news.append(
                (
                    .info, "recognized and used environment variable",
                    ["variable-name": name, "variable-value": isSecret ? "(not shown)" : environment[name] ?? ""]
                ))
        }
        let known = Set(flags.flags.map(\.environmentName))
        // Not its value: it may be a secret, and nobody knows what it is for.
        for name in environment.keys.sorted() where !known.contains(name) {
            news.append((.warn, "unrecognized environment variable", ["environment-variable": name]))
        }
    }

    private mutating func read(_ path: String) {
        guard let bytes = WholeFile.bytes(of: path) else {
            let reason = String(cString: strerror(errno))
            refuse(
                SettingsError("open \(path): \(reason.prefix(1).lowercased() + reason.dropFirst()) (--config-file)"),
                ServerLog())
        }
        let unknown: [ConfigurationFile.Entry]
        do throws(ConfigurationError) {
            unknown = try flags.take(try ConfigurationFile(parsing: String(decoding: bytes, as: UTF8.self)))
        } catch {
            refuse(SettingsError("--config-file \(path): \(error.description)"), ServerLog())
        }
        news.append(
            (
                .info,
                "loaded server configuration, other configuration command line flags and environment variables will be "
                    + "ignored if provided", ["path": path]
            ))
        for entry in unknown {
            news.append(
                (.warn, "unknown key in the configuration file", ["key": entry.key, "line": String(entry.line)]))
        }
    }

    // MARK: Refusals, with etcd's words and exit codes

    private func refuse(_ error: FlagError) -> Never {
        if error.etcdExitCode == 1 {
            let log = ServerLog()
            if case .shadowed(let name) = error {
                log.write(.fatal, error.etcdMessage, ["environment-variable": name])
            } else {
                let advice = error.advice.map { " (\($0))" } ?? ""
                log.write(.warn, "failed to verify flags", ["error": error.etcdMessage + advice])
            }
            log.drain()
        } else {
            StrakeCommand.complain(error.etcdMessage)
            StrakeCommand.complain((error.advice.map { $0 + "; " } ?? "") + "'\(usage) --help' lists the flags")
        }
        exit(error.etcdExitCode)
    }

    func refuse(_ error: SettingsError, _ log: ServerLog) -> Never {
        switch error.stage {
        case .flags: log.write(.warn, "failed to verify flags", ["error": error.description])
        case .setup: log.write(.fatal, "discovery failed", ["error": error.description])
        }
        log.drain()
        exit(1)
    }
}
