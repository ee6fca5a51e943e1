internal import StrakeEtcdService
internal import StrakeFlags
internal import StrakeStore

// What `ServerFlags+Operation` lists.
extension ServerSettings {
    static func addOperation(_ flags: FlagSet, to store: inout StoreOptions) throws(SettingsError) {
        let kept = flags.isSet("snapshot-catchup-entries") ? "snapshot-catchup-entries" : "snapshot-count"
        store.retainedEntries = UInt64(flags.integer(kept))
        store.checkpointNoticeEntries = UInt64(flags.integer("snapshot-count"))
        store.hastensFirstElection = flags.bool("initial-election-tick-advance")
        store.autoCompaction = try autoCompaction(flags)
        store.compactionBatchEvents = Int(flags.integer("compaction-batch-limit"))
        guard store.compactionBatchEvents > 0 else { throw SettingsError("--compaction-batch-limit must be above 0") }
        store.compactionPauseMilliseconds = Int(try positive("compaction-sleep-interval", flags))
        store.slowApplyMilliseconds = Int(try positive("warning-apply-duration", flags))
        let comparison = try positive("corrupt-check-time", flags)
        if comparison > 0 { store.digestComparisonMilliseconds = Int(comparison) }
        if flags.gates("feature-gates")["CompactHashCheck"] == true {
            let interval = try positive("compact-hash-check-time", flags)
            guard interval > 0 else { throw SettingsError("--compact-hash-check-time must be above 0") }
            store.hashCheckNoticeMilliseconds = Int(interval)
        }
    }

    /// Milliseconds of a duration that cannot be negative.
    private static func positive(_ name: String, _ flags: FlagSet) throws(SettingsError) -> Int64 {
        let milliseconds = flags.milliseconds(name)
        guard milliseconds >= 0 else { throw SettingsError("--\(name) must not be below 0") }
        return milliseconds
    }

    static func addOperation(_ flags: FlagSet, to service: inout ServiceOptions) {
        service.slowRequestMilliseconds = flags.milliseconds("warning-unary-request-duration")
        service.hasExtensiveMetrics = flags.string("metrics") == "extensive"
        service.reusesPort = flags.bool("socket-reuse-port")
        if flags.bool("enable-pprof") {
            service.shownArguments = shown(ProcessArguments.all() ?? [], secrets: flags.flags.filter(\.isSecret))
        }
        // What stands for "not set" in etcd leaves the defaults of its gRPC library in force.
        let pause = flags.milliseconds("grpc-keepalive-min-time")
        service.pingIntervalMinMilliseconds = pause > 0 ? pause : 300_000
        let interval = flags.milliseconds("grpc-keepalive-interval")
        let timeout = flags.milliseconds("grpc-keepalive-timeout")
        guard interval > 0, timeout > 0 else { return }
        // The library's lower bound.
        service.pingMilliseconds = max(interval, 1_000)
        service.pingTimeoutMilliseconds = timeout
    }

    /// The words of a command line, with what a secret flag is set to left out.
    private static func shown(_ words: [String], secrets: [Flag]) -> [String] {
        let names = secrets.flatMap { ["-" + $0.name, "--" + $0.name] }
        return words.indices.map { index in
            if index > 0, names.contains(words[index - 1]) { return "(not shown)" }
            guard let name = names.first(where: { words[index].hasPrefix($0 + "=") }) else { return words[index] }
            return name + "=(not shown)"
        }
    }

    // MARK: Auto-compaction

    private static func autoCompaction(_ flags: FlagSet) throws(SettingsError) -> AutoCompaction.Policy? {
        let mode = flags.string("auto-compaction-mode")
        guard ["periodic", "revision"].contains(mode) else {
            throw SettingsError(
                "unknown auto-compaction-mode \"\(mode)\": --auto-compaction-mode takes periodic or revision")
        }
        let text = flags.string("auto-compaction-retention")
        if let number = Int64(text), number >= 0 {
            if mode == "revision" { return number == 0 ? nil : .revisions(number) }
            return try period(hours: Double(number))
        }
        if let problem = GoDuration.problem(with: text) { throw SettingsError(retention(problem), .setup) }
        guard mode == "periodic" else {
            throw SettingsError(retention("the mode revision takes a number of revisions, such as 1000"), .setup)
        }
        return try period(hours: Double(flags.milliseconds("auto-compaction-retention")) / 3_600_000)
    }

    private static func period(hours: Double) throws(SettingsError) -> AutoCompaction.Policy? {
        guard hours >= 0 else { throw SettingsError(retention("a time is not below 0"), .setup) }
        // The revisions of a whole period are remembered, ten an hour.
        guard hours <= hoursMax else {
            throw SettingsError(retention("at most \(Int(hoursMax)) hours are kept"), .setup)
        }
        return hours == 0 ? nil : .period(milliseconds: Int64((hours * 3_600_000).rounded()))
    }

    private static let hoursMax: Double = 100_000

    private static func retention(_ problem: String) -> String {
        "error parsing CompactionRetention: \(problem): --auto-compaction-retention takes 30m, 1h, or a number"
    }

    // MARK: Warnings

    /// What the flags ask for in vain.
    static func warnings(_ flags: FlagSet) throws(SettingsError) -> [String] {
        if flags.bool("enable-distributed-tracing"), flags.integer("distributed-tracing-sampling-rate") > 1_000_000 {
            throw SettingsError(
                "distributed tracing configurition is not valid: (tracing sampling rate must be less than 1000000): "
                    + "--distributed-tracing-sampling-rate takes 0 to 1000000")
        }
        var warnings = flags.idleFlags.map { "--\($0.name) changes nothing: \($0.idleBecause ?? "")" }
        let metrics = flags.string("metrics")
        if !["basic", "extensive"].contains(metrics) {
            warnings.append("--metrics: \"\(metrics)\" is neither basic nor extensive, and taken as basic")
        }
        let gates = flags.gates("feature-gates").keys.filter { $0 != "CompactHashCheck" }.sorted()
        if !gates.isEmpty {
            warnings.append(
                "--feature-gates: \(gates.joined(separator: ", ")) change nothing: what they switch is always on here "
                    + "(InitialCorruptCheck, LeaseCheckpoint), or is not there to be switched")
        }
        return warnings
    }
}
