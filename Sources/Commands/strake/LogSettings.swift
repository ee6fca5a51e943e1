internal import StrakeFlags
internal import StrakeLogging

/// Where log lines go, and how they look.
struct LogSettings {
    var threshold: ServerLog.Level
    var format: LogFormat
    var targets: [LogTarget]
    /// Nil where files are not rotated.
    var rotation: LogRotation?

    init(_ flags: FlagSet) throws(SettingsError) {
        let logger = flags.string("logger")
        guard logger == "zap" else {
            throw SettingsError("unknown logger option \"\(logger)\": --logger takes zap")
        }
        guard let format = LogFormat(rawValue: flags.string("log-format")) else {
            throw SettingsError(
                "unknown log format: \(flags.string("log-format")), supported values json, console (--log-format)")
        }
        self.format = format
        threshold = ServerLog.Level(flags.string("log-level"))
        let names = flags.list("log-outputs")
        if names.count > 1, names.contains("default") {
            throw SettingsError(
                "multi logoutput for \"default\" is not supported yet: --log-outputs names it beside others")
        }
        if names.count > 1, names.contains("systemd/journal") {
            let list = names.sorted().map { "\"\($0)\"" }.joined(separator: " ")
            throw SettingsError(
                "running with systemd/journal but other '--log-outputs' values ([\(list)]) are configured with 'default'; "
                    + "override 'default' value with something else")
        }
        var targets: [LogTarget] = []
        for name in names where !targets.contains(LogTarget(name)) { targets.append(LogTarget(name)) }
        self.targets = targets.isEmpty ? [.standardError] : targets
        rotation = try Self.rotation(flags, self.targets)
    }

    private static func rotation(_ flags: FlagSet, _ targets: [LogTarget]) throws(SettingsError) -> LogRotation? {
        guard flags.bool("enable-log-rotation") else { return nil }
        let files = targets.filter { if case .file = $0 { true } else { false } }
        guard files.count == 1 else {
            throw SettingsError(
                "--log-outputs requires a single file path when --log-rotate-config-json is defined (--enable-log-rotation)"
            )
        }
        do throws(LogRotationError) {
            return try LogRotation(parsing: flags.string("log-rotation-config-json"))
        } catch {
            throw SettingsError("\(error.description) (--log-rotation-config-json)")
        }
    }

    /// Opens the outputs.
    func open() throws(SettingsError) -> ServerLog {
        do throws(LogFileError) {
            var outputs: [any LogOutput] = []
            for target in targets { outputs.append(try open(target)) }
            return ServerLog(threshold: threshold, format: format, outputs: outputs)
        } catch {
            throw SettingsError("\(error.description) (--log-outputs)")
        }
    }

    private func open(_ target: LogTarget) throws(LogFileError) -> any LogOutput {
        switch target {
        case .standardError, .standardOutput: return LogFile(target)
        case .file(let path): return try LogFile(path: path, rotation: rotation)
        case .journal:
            let program = CommandLine.arguments.first?.split(separator: "/").last
            return try JournalOutput(identifier: program.map(String.init) ?? "strake")
        }
    }
}
