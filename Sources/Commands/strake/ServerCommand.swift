internal import CMemory
internal import Glibc
internal import StrakeEtcdService
internal import StrakeLogging
internal import StrakePeers
internal import StrakeSignals
internal import StrakeSockets
internal import StrakeStore
internal import StrakeTLS

/// `strake server`: reads the flags, starts the pieces, and stops them on a signal.
struct ServerCommand {
    let calledAs: String
    let usage: String

    /// Runs the member until it is told to stop, and ends the process.
    func run(_ arguments: [String]) async -> Never {
        let start = ServerArguments(arguments, calledAs: calledAs, usage: usage)
        let (settings, log) = start.settings()
        strake_map_large_blocks()
        if settings.locksMemory, let problem = MemoryLock.lock() { start.refuse(SettingsError(problem), log) }
        await serve(settings, log)
    }

    private func serve(_ settings: ServerSettings, _ log: ServerLog) async -> Never {
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
        let rejections = RejectionLog(log)
        let tls = secure(settings, rejections, log)
        var options = settings.store
        options.onNotice = { notice in Self.note(notice, log) }
        let stop = Task { await signals.next() }
        await discover(&options, settings, stop, log)
        let (running, transport) = await open(options, settings, tls.peers, log)
        var service = settings.service
        service.tls = tls.clients
        service.onRejected = { rejections.write($0, .client) }
        service.peerFigures = { PeerSetup.figures(of: transport) }
        service.onSlowRequest = { slow in Self.note(slow, log) }
        let server: EtcdServer
        do throws(ListenError) {
            server = try await EtcdServer.start(
                store: running.store, options: service, addresses: settings.addresses,
                metricsAddresses: settings.metricsAddresses)
        } catch {
            log.write(.fatal, "cannot start", ["error": error.description])
            running.close()
            log.drain()
            exit(1)
        }
        let clientURLs = settings.addresses.map(\.url).joined(separator: ",")
        // Scripts wait for this line: the member answers, and the cluster knows where it is reached.
        running.store.whenReady {
            log.write(.info, "ready to serve client requests", ["client-urls": clientURLs])
            SystemdNotifier.tell(.ready)
        }
        Self.noteStop(await stop.value, log)
        await server.stop()
        running.close()
        log.write(.info, "stopped")
        log.drain()
        exit(0)
    }

    private static func noteStop(_ signal: Int32, _ log: ServerLog) {
        SystemdNotifier.tell(.stopping)
        log.write(.info, "stopping", ["signal": signal == SIGINT ? "interrupt" : "terminated"])
    }

    /// Learns who the members are, where the flags do not say, or ends the process. It may wait for them for good: a signal
    /// ends it then.
    private func discover(
        _ options: inout StoreOptions, _ settings: ServerSettings, _ stop: Task<Int32, Never>, _ log: ServerLog
    ) async {
        guard let discovery = settings.discovery else { return }
        let watchman = Task {
            let signal = await stop.value
            if Task.isCancelled { return }
            Self.noteStop(signal, log)
            log.drain()
            exit(0)
        }
        defer { watchman.cancel() }
        do throws(SettingsError) {
            try await DiscoverySetup.find(&options, discovery, joins: settings.joins, log)
        } catch {
            log.write(.fatal, "discovery failed", ["error": error.description])
            log.drain()
            exit(1)
        }
    }

    /// Reads certificates and keys, or ends the process.
    private func secure(
        _ settings: ServerSettings, _ rejections: RejectionLog, _ log: ServerLog
    ) -> (clients: TLSServer?, peers: PeerTLS) {
        do throws(SettingsError) {
            return try TLSSetup.open(settings, rejections, log)
        } catch {
            log.write(.fatal, "listener failed", ["error": error.description])
            log.drain()
            exit(1)
        }
    }

    /// Opens the way to the other members and the store, or ends the process.
    private func open(
        _ options: StoreOptions, _ settings: ServerSettings, _ tls: PeerTLS, _ log: ServerLog
    ) async -> (RunningStore, PeerTransport) {
        var options = options
        do {
            if settings.joins { try await PeerSetup.join(&options, tls.client) }
            let transport = try await PeerSetup.open(
                options, listenURLs: settings.peerURLs, reusesPort: settings.service.reusesPort, tls, log)
            return (try RunningStore(opening: options, transport: transport), transport)
        } catch {
            log.write(.fatal, "cannot start", ["error": "\(error)"])
            log.drain()
            exit(1)
        }
    }
}
