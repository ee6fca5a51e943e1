/// What a server allows its clients.
package struct ServerConfiguration: Sendable {
    /// Above it streams are refused with REFUSED_STREAM. etcd's default is no limit.
    package var maxConcurrentStreams = UInt32.max
    package var streamWindowBytes = 1 << 20
    package var connectionWindowBytes = 16 << 20
    /// Largest frame accepted (SETTINGS_MAX_FRAME_SIZE), 16,384...16,777,215.
    package var frameBytesMax = 16_384
    /// Longest gRPC message accepted: etcd's --max-request-bytes of 1.5 MiB and its 512 KiB for gRPC.
    package var messageBytesMax = 2 << 20
    package var headerListBytesMax = 64 << 10
    /// Sum of the half-received messages of a connection; a stream that would pass it gets RESOURCE_EXHAUSTED.
    package var assemblyBytesMax = 256 << 20
    /// No `streamWritable` while more than this waits in `output`.
    package var outputBytesHigh = 256 << 10
    /// Keepalive enforcement as in grpc-go: pings that come faster, three in a row with nothing sent in between, end in
    /// GOAWAY "too_many_pings". Nanoseconds; etcd's --grpc-keepalive-min-time.
    package var pingIntervalMin: UInt64 = 5_000_000_000
    /// Whether pings may come at `pingIntervalMin` while no stream is open, too; otherwise every two hours.
    package var pingsWithoutStreams = false
    package var budgets = FloodBudgets()

    package init() {}
}

/// What a client allows its server.
package struct ClientConfiguration: Sendable {
    package var streamWindowBytes = 4 << 20
    package var connectionWindowBytes = 64 << 20
    package var frameBytesMax = 16_384
    package var messageBytesMax = Int(Int32.max)
    package var headerListBytesMax = 64 << 10
    package var assemblyBytesMax = Int.max
    package var outputBytesHigh = 256 << 10
    package var budgets = FloodBudgets()

    package init() {}
}

/// Both of them, as the engine reads them.
struct ConnectionLimits {
    var maxConcurrentStreams = UInt32.max
    var streamWindowBytes: Int
    var connectionWindowBytes: Int
    var frameBytesMax: Int
    var messageBytesMax: Int
    var headerListBytesMax: Int
    var assemblyBytesMax: Int
    var outputBytesHigh: Int
    var pingIntervalMin: UInt64 = 0
    var pingsWithoutStreams = true
    var budgets: FloodBudgets

    private static let windowMax = Int(Int32.max)

    init(_ server: ServerConfiguration) {
        maxConcurrentStreams = server.maxConcurrentStreams
        streamWindowBytes = Self.window(server.streamWindowBytes)
        connectionWindowBytes = Self.window(server.connectionWindowBytes)
        frameBytesMax = min(max(server.frameBytesMax, 16_384), 16_777_215)
        messageBytesMax = server.messageBytesMax
        headerListBytesMax = server.headerListBytesMax
        assemblyBytesMax = server.assemblyBytesMax
        outputBytesHigh = server.outputBytesHigh
        pingIntervalMin = server.pingIntervalMin
        pingsWithoutStreams = server.pingsWithoutStreams
        budgets = server.budgets
    }

    init(_ client: ClientConfiguration) {
        streamWindowBytes = Self.window(client.streamWindowBytes)
        connectionWindowBytes = Self.window(client.connectionWindowBytes)
        frameBytesMax = min(max(client.frameBytesMax, 16_384), 16_777_215)
        messageBytesMax = client.messageBytesMax
        headerListBytesMax = client.headerListBytesMax
        assemblyBytesMax = client.assemblyBytesMax
        outputBytesHigh = client.outputBytesHigh
        budgets = client.budgets
    }

    /// Never below the protocol's default: a peer may use that much before it has read our SETTINGS.
    private static func window(_ bytes: Int) -> Int { min(max(bytes, 65_535), windowMax) }
}
