internal import NIOCore
internal import NIOPosix
internal import StrakeClientFlags
internal import StrakeFlags
internal import StrakeSockets
internal import StrakeTLS
internal import Synchronization

/// One run against a server: opens the connections, waits until all is done, and adds up.
struct BenchRun {
    let options: BenchOptions
    let group: MultiThreadedEventLoopGroup
    let bar: ProgressBar

    /// Runs the workload, after writing the keys that it reads.
    func run() async throws(BenchError) -> BenchResult {
        if options.prefills, options.workload == .range || options.workload == .txnMixed {
            var fill = options
            fill.total = options.keySpace
            fill.rate = 0
            fill.clients = max(options.clients, 100)
            let result = try await BenchRun(options: fill, group: group, bar: bar).load(isPrefill: true)
            if let error = result.firstError { throw BenchError("writing the keys failed: \(error)") }
        }
        return try await load(isPrefill: false)
    }

    private var isWatch: Bool { options.workload == .watch || options.workload == .watchLatency }

    private func load(isPrefill: Bool) async throws(BenchError) -> BenchResult {
        let servers = ServerProcesses(all: options.servers)
        let watchers = options.streams * options.watchersPerStream
        let progress = Progress(total: isWatch ? options.total * watchers : options.total)
        let done = group.next().makePromise(of: Void.self)
        let gate = DoneGate(promise: done)
        let loops = Array(group.makeIterator())
        var recorders: [NIOLoopBound<Recorder>] = []
        var shares: [NIOLoopBound<LoopShare>] = []
        for loop in loops {
            let (options, started) = (options, progress.started)
            let made: (NIOLoopBound<Recorder>, NIOLoopBound<LoopShare>)? = try? await loop.submit {
                let recorder = Recorder(started: started)
                let share = LoopShare(options: options, progress: progress, recorder: recorder) { gate.open() }
                return (NIOLoopBound(recorder, eventLoop: loop), NIOLoopBound(share, eventLoop: loop))
            }.get()
            guard let made else { throw BenchError("an event loop does not run") }
            recorders.append(made.0)
            shares.append(made.1)
        }
        let cpuBefore = servers.cpuSeconds
        let cpuStart = Clock.nanoseconds
        let ticker = bar.follow(
            progress, on: group.next(), label: isPrefill ? "writing keys" : options.workload.rawValue)
        let channels =
            isWatch
            ? try await openWatches(loops, shares, progress) : try await openCalls(loops, shares, isPrefill)
        try? await done.futureResult.get()
        let ended = Clock.nanoseconds
        ticker?.cancel()
        bar.clear()
        let cpuAfter = servers.cpuSeconds
        for channel in channels { try? await channel.close() }
        var result = BenchResult(options: options)
        result.seconds = Double(ended - cpuStart) / 1e9
        result.operations = progress.done - progress.errors
        result.errors = progress.errors
        result.firstError = progress.firstError.withLock { $0 }
        for (loop, recorder) in zip(loops, recorders) {
            let measured = try? await loop.submit { (recorder.value.latencies, recorder.value.timeline) }.get()
            if let (latencies, timeline) = measured { result.add(latencies, timeline) }
        }
        if let cpuBefore, let cpuAfter { result.serverCPUSeconds = cpuAfter - cpuBefore }
        result.serverMemory = servers.memory
        return result
    }

    private func openCalls(
        _ loops: [any EventLoop], _ shares: [NIOLoopBound<LoopShare>], _ isPrefill: Bool
    ) async throws(BenchError) -> [any Channel] {
        var channels: [any Channel] = []
        for index in 0..<options.connections {
            let clients =
                options.clients / options.connections + (index < options.clients % options.connections ? 1 : 0)
            let share = shares[index % loops.count]
            let options = options
            channels.append(
                try await connect(index, on: loops[index % loops.count]) {
                    if options.workload == .leaseKeepAlive {
                        return KeepAliveTraffic(share: share.value, clients: clients)
                    }
                    let source = OperationSource(options, isPrefill: isPrefill, connection: index)
                    return UnaryTraffic(share: share.value, clients: clients, source: source)
                })
        }
        return channels
    }

    private func openWatches(
        _ loops: [any EventLoop], _ shares: [NIOLoopBound<LoopShare>], _ progress: Progress
    ) async throws(BenchError) -> [any Channel] {
        let putTimes = PutTimes(count: options.workload == .watchLatency ? options.total : 0)
        var channels: [any Channel] = []
        var ready: [EventLoopFuture<Void>] = []
        let connections = min(options.connections, options.streams)
        for index in 0..<connections {
            let streams = options.streams / connections + (index < options.streams % connections ? 1 : 0)
            let loop = loops[index % loops.count]
            let share = shares[index % loops.count]
            let promise = loop.makePromise(of: Void.self)
            ready.append(promise.futureResult)
            channels.append(
                try await connect(index, on: loop) {
                    WatchTraffic(share: share.value, streams: streams, putTimes: putTimes) { promise.succeed() }
                })
        }
        for future in ready { try? await future.get() }
        let puts = Progress(total: options.total)
        let (share, clients) = (shares[0], options.clients)
        channels.append(
            try await connect(0, on: loops[0]) {
                PutTraffic(share: share.value, puts: puts, clients: clients, putTimes: putTimes)
            })
        return channels
    }

    private func connect(
        _ index: Int, on loop: any EventLoop, _ traffic: @escaping @Sendable () -> any Traffic
    ) async throws(BenchError) -> any Channel {
        let endpoint = options.endpoints[index % options.endpoints.count]
        let tls = options.security.tls(for: endpoint)
        do {
            return try await ClientBootstrap(group: loop)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .channelOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(minimum: 4_096, initial: 65_536, maximum: 1 << 20)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try tls?.secure(channel, host: endpoint.host)
                        try channel.pipeline.syncOperations.addHandler(
                            LoadConnection(to: "\(endpoint)", traffic: traffic()))
                    }
                }
                .connect(host: endpoint.host, port: endpoint.port).get()
        } catch {
            throw BenchError("cannot connect to \(endpoint): \(ConnectFailure.reason(of: error))")
        }
    }
}

/// Fulfils a promise once, whoever comes first.
final class DoneGate: Sendable {
    private let promise: EventLoopPromise<Void>
    private let isOpen = Atomic(false)

    init(promise: EventLoopPromise<Void>) {
        self.promise = promise
    }

    func open() {
        if !isOpen.exchange(true, ordering: .relaxed) { promise.succeed() }
    }
}
