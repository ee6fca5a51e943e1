internal import StrakeModel
internal import Synchronization

/// A store inside this process: one member of a cluster, most often its only one, on a directory of its own.
///
/// Everything goes the way that a server's requests go: a change is an entry of the raft log and is acknowledged once that is
/// on the disk (of a majority, where there are others); changes that come at the same time share one flush. Any task may
/// call at any time; a request neither blocks a thread nor starts one.
///
/// Close it before the process ends, by `close`, or by running it with `run` or `withStore`: the next start then has nothing
/// to apply again. A process that dies loses nothing that was acknowledged.
public final class EmbeddedStore: Sendable {
    public let limits: Limits
    let parts: Parts
    let desk: RequestDesk
    let readers: ReaderThreads
    let watches: WatchDesk
    let scans: ScanRegister
    /// Given once when the member stops for good or was closed.
    private let ending: Reply<Void>

    /// - Throws: `refused` with `stopped` once it was closed.
    var store: Store {
        get throws(EmbeddedStoreError) {
            guard let store = parts.store else { throw .refused(.stopped) }
            return store
        }
    }

    /// Opens a directory and starts the member. A member alone serves on return, with everything that was ever
    /// acknowledged. One of several can be asked at once, and waits for a leader where it needs one.
    ///
    /// - Parameters:
    ///   - options: At least the directory, which is made when it is missing. One process at a time can have it.
    ///   - limits: Bounds of this process's own answers and readers.
    ///   - network: The way to the other members, such as `.tcp()` of the product StrakePeers. Nil: there are none.
    /// - Throws: A sentence for the operator: the directory is in use, damaged or not Strake's, the disk is full, an option
    ///   is out of its bounds.
    public static func open(
        _ options: StoreOptions, limits: Limits = Limits(), network: PeerNetwork? = nil
    ) async throws(StoreStartError) -> EmbeddedStore {
        try limits.check()
        try options.check(hasNetwork: network != nil)
        let ending = Reply<Void>()
        var options = options
        let transport: (any Transport)?
        do {
            transport = try await network?.open(&options)
        } catch {
            throw error as? StoreStartError ?? StoreStartError("\(error)")
        }
        let watches = WatchDesk()
        options.onNotice = Self.listening(options.onNotice, ending, watches)
        let opened = options
        // It waits for the disk, and for the member to have applied its log.
        let result = await WorkerThread.run(name: "strake-open") {
            Result { () throws(StoreStartError) in try RunningStore(opening: opened, transport: transport) }
        }
        switch result {
        case .success(let running): return EmbeddedStore(running, limits, watches, ending)
        case .failure(let error):
            transport?.close()
            throw error
        }
    }

    /// Opens a directory of a store with one member and etcd's defaults.
    public static func open(directory: String) async throws(StoreStartError) -> EmbeddedStore {
        try await open(StoreOptions(dataDirectory: directory))
    }

    private init(_ running: RunningStore, _ limits: Limits, _ watches: WatchDesk, _ ending: Reply<Void>) {
        self.limits = limits
        self.ending = ending
        self.watches = watches
        let store = running.store
        let scans = ScanRegister()
        self.scans = scans
        readers = ReaderThreads(count: limits.readerThreads)
        desk = RequestDesk(watches: watches)
        desk.register(with: store)
        parts = Parts(running, desk, readers, watches, scans)
        let (gauges, onNotice) = (store.metrics, store.options.onNotice)
        watches.start(
            WatchSetup(
                reader: store.reader, readers: readers, progressSeconds: limits.watchProgressSeconds,
                isQuarantined: { gauges.isQuarantined.load(ordering: .relaxed) },
                onDamage: { onNotice(.damage($0)) },
                onTick: { [stall = limits.scanStallSeconds] in scans.expire(stallSeconds: stall) }))
    }

    deinit {
        // Forgotten: it is closed all the same, by a thread that may wait for it.
        let parts = parts
        if parts.store != nil { WorkerThread(name: "strake-close") { parts.close() }.detach() }
    }

    // MARK: Life

    /// Serves until the task is canceled, the store is closed, or the member cannot go on, and closes the store.
    ///
    /// It has the form of `Service.run` of swift-service-lifecycle: conform to that protocol, or wrap it there in
    /// `cancelWhenGracefulShutdown`. To be called once.
    ///
    /// - Throws: `failed` when the member cannot go on without risking data, or was removed from its cluster.
    public func run() async throws(EmbeddedStoreError) {
        var failure: EmbeddedStoreError?
        do throws(EmbeddedStoreError) {
            try await ending.value()
        } catch {
            if error != .canceled { failure = error }
        }
        await close()
        if let failure { throw failure }
    }

    /// Writes down what is applied, hands the leadership over if there are others, and lets go of the directory. Calls that
    /// wait, and later ones, fail with `stopped`; watches end. Returns when all that is done; harmless to call again.
    public func close() async {
        ending.give(.success(()))
        let parts = parts
        await WorkerThread.run(name: "strake-close") { parts.close() }
    }

    /// Opens a store, lends it to the body, and closes it.
    ///
    /// - Throws: `StoreStartError`, or what the body throws.
    nonisolated(nonsending) public static func withStore<Value: Sendable>(
        _ options: StoreOptions, limits: Limits = Limits(), network: PeerNetwork? = nil,
        _ body: (EmbeddedStore) async throws -> Value
    ) async throws -> Value {
        let store = try await open(options, limits: limits, network: network)
        do {
            let value = try await body(store)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }

    /// Returns once the cluster knows of this member, which takes a majority of its members. A member alone is ready when
    /// it was opened.
    ///
    /// - Throws: `canceled`; `refused` with `stopped`.
    public func untilReady() async throws(EmbeddedStoreError) {
        let store = try store
        try await desk.ask { ready in store.whenReady { ready(.success(())) } }
    }

    /// The operator's notices, and among them those after which the member is of no use.
    private static func listening(
        _ onNotice: @escaping @Sendable (StoreNotice) -> Void, _ ending: Reply<Void>, _ watches: WatchDesk
    ) -> @Sendable (StoreNotice) -> Void {
        { notice in
            onNotice(notice)
            let reason: String
            switch notice {
            case .fatal(let text): reason = text
            case .removed(let text): reason = "the cluster has removed this member: \(text)"
            case .repaired, .leadership, .diskFull, .logFailing, .damage, .corruption, .removalPending, .forced,
                .snapshot, .snapshotFailed, .progress, .backup:
                return
            }
            ending.give(.failure(.failed(reason)))
            watches.endAll(.failure(.failed(reason)))
        }
    }
}

extension StoreOptions {
    /// - Throws: A sentence that names the field.
    func check(hasNetwork: Bool) throws(StoreStartError) {
        guard !dataDirectory.isEmpty else { throw StoreStartError("StoreOptions.dataDirectory must not be empty") }
        guard heartbeatMilliseconds >= 1 else {
            throw StoreStartError(
                "StoreOptions.heartbeatMilliseconds must be above 0, not \(heartbeatMilliseconds)")
        }
        guard electionMilliseconds >= 5 * heartbeatMilliseconds, electionMilliseconds <= 50_000 else {
            throw StoreStartError(
                "StoreOptions.electionMilliseconds must be at least 5 heartbeats and at most 50000, not "
                    + "\(electionMilliseconds)")
        }
        guard hasNetwork || initialMembers.count <= 1 && joining == nil else {
            throw StoreStartError(
                "StoreOptions.initialMembers names other members: EmbeddedStore.open needs a network to reach them")
        }
    }
}
