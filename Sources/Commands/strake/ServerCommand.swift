internal import CMapFault
internal import CMemory
internal import Glibc
internal import StrakeEtcdService
internal import StrakeFlags
internal import StrakePeers
internal import StrakeSockets
internal import StrakeStore
internal import Synchronization

/// `strake server`: reads the flags, starts the pieces, and stops them on a signal.
struct ServerCommand {
    let calledAs: String
    let usage: String

    /// Runs the member until it is told to stop, and ends the process.
    func run(_ arguments: [String]) async -> Never {
        var flags = FlagSet(ServerFlags.all)
        do throws(FlagError) {
            try flags.parse(arguments: arguments, environment: Self.environment())
        } catch {
            StrakeCommand.complain("\(error.message); '\(usage) --help' lists the flags")
            exit(error.etcdExitCode)
        }
        if flags.asksForHelp {
            print(ServerFlags.helpText(command: usage))
            exit(0)
        }
        if flags.bool("version") {
            print(Version.text(calledAs: calledAs))
            exit(0)
        }
        let settings: ServerSettings
        do throws(SettingsError) {
            settings = try ServerSettings(flags)
        } catch {
            StrakeCommand.complain(error.description)
            exit(1)
        }
        strake_map_large_blocks()
        await serve(settings)
    }

    private func serve(_ settings: ServerSettings) async -> Never {
        let log = ServerLog(threshold: settings.logLevel)
        let signals = SignalWaiter()
        log.write(
            .info, "starting a member",
            [
                "name": settings.store.name, "data-dir": settings.store.dataDirectory, "version": Version.strake,
                "etcd-version": Version.etcd,
            ])
        log.reportMapFaults(
            of: "data.mdb",
            "the disk failed, or the file is shorter than it was. The member stops; what it has acknowledged is in its log. "
                + "Check the disk, and start it again. If that does not help: "
                + settings.store.rebuildAdvice(member: nil))
        var options = settings.store
        options.onNotice = { notice in Self.note(notice, log) }
        let (running, transport) = await open(options, settings, log)
        var service = settings.service
        service.peerFigures = { PeerSetup.figures(of: transport) }
        let server: EtcdServer
        do throws(ListenError) {
            server = try await EtcdServer.start(
                store: running.store, options: service, addresses: settings.addresses)
        } catch {
            log.write(.fatal, "cannot start", ["error": error.description])
            running.close()
            exit(1)
        }
        let clientURLs = settings.addresses.map { "http://\($0.host):\($0.port)" }.joined(separator: ",")
        // Scripts wait for this line: the member answers, and the cluster knows where it is reached.
        running.store.whenReady { log.write(.info, "ready to serve client requests", ["client-urls": clientURLs]) }
        let signal = await signals.next()
        log.write(.info, "stopping", ["signal": signal == SIGINT ? "interrupt" : "terminated"])
        await server.stop()
        running.close()
        log.write(.info, "stopped")
        exit(0)
    }

    /// Opens the way to the other members and the store, or ends the process.
    private func open(
        _ options: StoreOptions, _ settings: ServerSettings, _ log: ServerLog
    ) async -> (RunningStore, PeerTransport) {
        var options = options
        do {
            if settings.joins { try await PeerSetup.join(&options) }
            let transport = try await PeerSetup.open(options, listenURLs: settings.peerURLs, log)
            return (try RunningStore(opening: options, transport: transport), transport)
        } catch {
            log.write(.fatal, "cannot start", ["error": "\(error)"])
            exit(1)
        }
    }

    private static func note(_ notice: StoreNotice, _ log: ServerLog) {
        switch notice {
        case .repaired(let what): log.write(.warn, "repaired the end of the log", ["repair": what])
        case .leadership(let term, let isLeader):
            log.write(.info, isLeader ? "elected leader" : "leadership changed", ["term": String(term)])
        case .diskFull(let what): log.write(.error, "the log cannot grow yet", ["error": what])
        case .logFailing(let what):
            log.write(.error, "a file of the log cannot be prepared or removed", ["error": what])
        case .snapshot(let what): log.write(.info, what)
        case .snapshotFailed(let what): log.write(.warn, what)
        case .backup(let progress, let bytes): note(progress, bytes, log)
        case .forced(let what): log.write(.warn, what)
        case .removalPending(let what): log.write(.warn, what)
        case .removed(let who):
            log.write(.warn, "the cluster has removed this member; it stops", ["known": who])
            // As an operator would stop it.
            kill(getpid(), SIGTERM)
        case .corruption(let what): log.write(.error, what)
        case .damage(let what): log.write(.error, "damaged record in the store", ["error": what])
        case .fatal(let what):
            log.write(.fatal, "the member stops", ["error": what])
            exit(1)
        }
    }

    /// etcd's words where it has some.
    private static func note(_ progress: BackupProgress, _ bytes: UInt64, _ log: ServerLog) {
        let fields: KeyValuePairs = ["total-bytes": String(bytes)]
        switch progress {
        case .begun: log.write(.info, "sending database snapshot to client", fields)
        case .whole: log.write(.info, "successfully sent database snapshot to client", fields)
        case .abandoned: log.write(.warn, "a client left before it had its database snapshot", fields)
        }
    }

    private static func environment() -> [String: String] {
        var values: [String: String] = [:]
        for flag in ServerFlags.all {
            if let value = getenv(flag.environmentName) { values[flag.environmentName] = String(cString: value) }
        }
        return values
    }
}
