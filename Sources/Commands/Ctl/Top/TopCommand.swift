internal import Glibc
internal import StrakeClient
internal import StrakeSignals

/// `top`: what a cluster is doing, live on a terminal, or as snapshots.
enum TopCommand {
    static let help = "Shows what a cluster is doing: members, rates, latencies, watches, leases, busy prefixes"

    static let details = """
        On a terminal it is a live screen, which q and Control-C end. Elsewhere, and with --once or --count, each interval
        is printed as plain lines; with -w json as one JSON object, on a terminal too. Other formats are refused.

        Rates are those of the last interval. So are times, as median and 99th percentile (50/99); they come from the
        histograms of the members' /metrics, so they are estimates within a bucket, and buckets double. SYNC is a flush of
        the log, APPLY a command, PEERS a round trip to another member, COMMIT a commit of the database, which with Strake is
        a whole checkpoint. Requests are messages of gRPC: one for a unary call, one for each renewal of a lease. A member
        that was restarted within the interval counts from its start.

        Each interval asks each member for its status and one page of metrics (some 120 kB), over connections that are kept;
        every fifth also asks one member for the member list. Busy prefixes take a watch besides: etcd's protocol has none
        without values, so one member sends whatever is written, keys and values, here too. --prefixes=0 goes without. At
        most \(PrefixTable.prefixesMax) prefixes are counted in an interval; events of further ones are shown together.

        Where authentication is enabled, the watch needs a user who may read all keys that begin with --prefix. A wrong
        password ends it at once.

        With --count or --once it ends with exit code 1 when no member has answered last.
        """

    static let flags = [
        CommandFlag("interval", .duration, "2s", "time between two samples, at least 100ms"),
        CommandFlag("once", .flag, "false", "print one interval and end, as --count=1"),
        CommandFlag("count", .integer, "0", "print so many intervals and end; 0 is without end"),
        CommandFlag(
            "cluster", .flag, "false", "show all members of the cluster's member list, at their client URLs"),
        CommandFlag("prefixes", .integer, "10", "how many of the busiest prefixes to show; 0 ends their watch"),
        CommandFlag("prefix", .text, "", "watch only keys that begin with this"),
        CommandFlag("depth", .integer, "2", "path components of a key, behind --prefix, that make its prefix"),
    ]

    private static let intervalMin = Duration.milliseconds(100)
    /// A member may take that long to answer, even if the interval is shorter.
    private static let patienceMin = Duration.seconds(1)
    /// Plain lines that go to no terminal are that long.
    private static let plainWidth = 120
    /// What happened while the screen was being drawn; the oldest is forgotten.
    private static let eventsMax = 64

    private struct Settings {
        var interval: Duration
        /// Nil: without end.
        var count: Int64?
        var prefixesMax: Int
        var prefix: [UInt8]
        var depth: Int

        init(_ arguments: CommandArguments) throws(CommandFailure) {
            interval = arguments.duration("interval")
            guard interval >= TopCommand.intervalMin else { throw .arguments("--interval must be at least 100ms") }
            let count = arguments.integer("count")
            guard count >= 0 else { throw .arguments("--count must not be below 0") }
            guard !arguments.flag("once") || count <= 1 else {
                throw .arguments("--once and --count exclude each other")
            }
            self.count = arguments.flag("once") ? 1 : count == 0 ? nil : count
            guard 0...Int64(PrefixTable.prefixesMax) ~= arguments.integer("prefixes") else {
                throw .arguments("--prefixes must be from 0 to \(PrefixTable.prefixesMax)")
            }
            guard 1...100 ~= arguments.integer("depth") else { throw .arguments("--depth must be from 1 to 100") }
            (prefixesMax, depth) = (Int(arguments.integer("prefixes")), Int(arguments.integer("depth")))
            prefix = Array(arguments.text("prefix").utf8)
        }
    }

    static func run(_ context: CommandContext) async throws(CommandFailure) {
        guard context.words.isEmpty else { throw .arguments("top takes no arguments") }
        try context.printer.refuse(.table, .fields, .protobuf)
        let format = context.printer.format
        let settings = try Settings(context.arguments)
        let patience = min(
            context.arguments.duration("command-timeout"), max(settings.interval, patienceMin))
        let (source, watch) = try await source(Connecting(context: context, patience: patience), settings)
        let watching = watch.map { watch in Task { await watch.run() } }
        defer { watching?.cancel() }
        if format == .simple, settings.count == nil, Terminal.isStandardOutput {
            try await showLive(source, settings)
        } else {
            try await print(source, settings, format)
        }
    }

    private static func source(
        _ connecting: Connecting, _ settings: Settings
    ) async throws(CommandFailure) -> (ClusterSource, PrefixWatch?) {
        let context = connecting.context
        var endpoints = context.endpoints
        var scope = ClusterSource.Scope.endpoints(endpoints)
        if context.arguments.flag("cluster") {
            let client = try await context.client()
            let members = try await context.call(
                prefix: "failed to fetch endpoints from etcd cluster member list: "
            ) { () async throws(StrakeClientError) in try await client.members(isLinearizable: false) }
            scope = .cluster(members.body)
            // Whoever told may be the next to go.
            let all = members.body.flatMap(\.clientURLs)
            if !all.isEmpty { endpoints = all }
        }
        var watch: PrefixWatch?
        if settings.prefixesMax > 0 {
            let client = try context.lazyClient(to: endpoints, isPatient: true, requiresLeader: true)
            watch = PrefixWatch(client, prefix: settings.prefix, depth: settings.depth)
        }
        let client = try connecting.client(endpoints)
        try await requireUser(client, connecting.patience)
        return (try ClusterSource(connecting, client, scope, watch), watch)
    }

    /// A wrong password is told at once: asked for again and again it would cost the members a hash each time. Whatever
    /// else is wrong may pass, and is shown.
    private static func requireUser(_ client: StrakeClient, _ patience: Duration) async throws(CommandFailure) {
        do throws(StrakeClientError) {
            try await client.authenticate(timeout: patience)
        } catch {
            if error.code == .invalidArgument { throw CommandFailure(error.goText, CommandFailure.badConnection) }
        }
    }

    /// At each interval's end, the first at once; a sample that took longer is followed by the next without a pause. But
    /// the first one has connections to make and tokens to get: the others are counted from its end.
    private static func sample(
        _ source: ClusterSource, every interval: Duration, _ take: (ClusterSample) async -> Bool
    ) async {
        var next: ContinuousClock.Instant?
        while !Task.isCancelled, await take(await source.sample()) {
            let due = max((next ?? .now).advanced(by: interval), .now)
            next = due
            try? await Task.sleep(until: due, clock: .continuous)
        }
    }

    // MARK: - Snapshots

    private static func print(
        _ source: ClusterSource, _ settings: Settings, _ format: Printer.Format
    ) async throws(CommandFailure) {
        // A reader that has gone is noticed by writing.
        signal(SIGPIPE, SIG_IGN)
        var model = ClusterModel()
        var left = settings.count
        var hasAnswers = false
        var isFirst = true
        await sample(source, every: settings.interval) { sample in
            let view = model.take(sample)
            hasAnswers = view.members.contains { $0.status != nil }
            // Rates need two samples.
            if isFirst {
                isFirst = false
                return true
            }
            left = left.map { $0 - 1 }
            return Terminal.write(text(view, settings, format)) && left != 0
        }
        if !hasAnswers { throw CommandFailure("no member has answered") }
    }

    private static func text(_ view: ClusterView, _ settings: Settings, _ format: Printer.Format) -> String {
        if format == .json { return view.json(prefixesMax: settings.prefixesMax) + "\n" }
        let width = Terminal.isStandardOutput ? Terminal.size.width : plainWidth
        let screen = ClusterScreen(width: width, height: nil, prefixesMax: settings.prefixesMax)
        return screen.lines(view).map { $0.text + "\n" }.joined() + "\n"
    }

    // MARK: - Live

    private enum Event: Sendable {
        case sample(ClusterSample)
        case input(Terminal.Input)
        case signal(Int32)
    }

    private static func showLive(_ source: ClusterSource, _ settings: Settings) async throws(CommandFailure) {
        let (events, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(eventsMax))
        let signals = SignalWaiter()
        Task { continuation.yield(.signal(await signals.next())) }
        let terminal = Terminal()
        defer { terminal.restore() }
        terminal.read { continuation.yield(.input($0)) }
        let sampling = Task {
            await sample(source, every: settings.interval) { sample in
                continuation.yield(.sample(sample))
                return true
            }
        }
        defer { sampling.cancel() }
        var model = ClusterModel()
        var view: ClusterView?
        guard terminal.show([ScreenLine("asking the members ...")]) else { return }
        for await event in events {
            switch event {
            case .sample(let sample): view = model.take(sample)
            case .input(.key(let key)):
                if key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") { return }
                continue
            case .input(.resized): break
            // Whoever types Control-C wants nothing but the end.
            case .signal(SIGINT): return
            case .signal(let number): throw CommandFailure(nil, 128 + number)
            }
            guard let view else { continue }
            let size = Terminal.size
            let screen = ClusterScreen(width: size.width, height: size.height, prefixesMax: settings.prefixesMax)
            guard terminal.show(screen.lines(view)) else { return }
        }
    }
}
