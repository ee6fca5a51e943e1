/// One HTTP/2 connection (RFC 9113) with gRPC's framing on top, either end of it: bytes in, events and bytes out.
///
/// A value without socket, clock or thread. A topic in each file: `+Input` cuts frames, `+Frames`, `+Settings` and
/// `+Headers` obey them, `+Data` makes messages of DATA, `+Requests` and `+Responses` judge header blocks, `+Output` and
/// `+Sending` write, `+Queue` holds what waits for windows, `+Server` and `+Client` are what only one end says.
struct Engine: ~Copyable {
    /// How far a graceful shutdown is.
    enum Drain {
        case none
        /// GOAWAY for all of the future and a PING are out: its answer says which streams were already on the way.
        case announced
        /// The real last stream was named; no more are taken.
        case closing
        case reported
    }

    let isServer: Bool
    let limits: ConnectionLimits

    // Both directions.
    var streams = StreamTable()
    var closedStreams = ClosedStreams()
    var failure: (code: ErrorCode, reason: String)?
    var isFailureReported = false
    var drain = Drain.none
    /// The last stream of our last GOAWAY: a later one must not name a higher one.
    var announcedLast = UInt32(Int32.max)
    /// Highest stream the peer opened, and highest we opened.
    var lastPeerStream: UInt32 = 0
    var lastOwnStream: UInt32 = 0
    /// Streams of ours above it were not processed (GOAWAY received).
    var goAwayLimit = UInt32.max
    var goAwaySweep: Int?

    // Input; see +Input.
    var input = UnsafeRawPointer(bitPattern: 1)!
    var inputCount = 0
    var inputOffset = 0
    var isReceiving = false
    var now: UInt64 = 0
    var phase: InputPhase
    var prefaceCount = 0
    var frame = FrameHeader()
    var partial = ByteQueue()
    var hasSettings = false
    var decoder: HPACKDecoder
    /// Header block whose CONTINUATION is due; stream 0 if none.
    var continuationStream: UInt32 = 0
    var continuationCount = 0
    var headersEndStream = false
    var headerBlock = ByteQueue()
    /// END_STREAM came with HEADERS: told after them.
    var pendingEnd = StreamID.none
    /// What the block's event carries beside its fields.
    var head = (method: -1, timeoutNanoseconds: UInt64.max, isEnd: true, status: 0)

    /// Client: the call that just ended was never looked at.
    var isCallUnprocessed = false

    // The DATA frame being read; see +Data.
    var dataStream = StreamID.none
    var dataRemaining = 0
    var dataPadding = 0
    var dataIsPadded = false
    var dataEndsStream = false
    var assemblyBytes = 0
    var delivered = ByteQueue()
    var receiveWindow: Int
    var receivedBytes = 0

    // Output; see +Output and +Sending.
    var output = OutputBuffer()
    var encoder = HPACKEncoder()
    var plainResponseHeaders = HeaderTemplate(response: .plain)
    var protoResponseHeaders = HeaderTemplate(response: .proto)
    /// Client: registered request headers.
    var templates: [HeaderTemplate] = []
    var okTrailers = HeaderTemplate(fields: [HeaderField("grpc-status", "0")])
    var sendWindow = 65_535
    var peerWindow = 65_535
    var peerFrameMax = 16_384
    var peerMaxStreams = UInt32.max
    var openFrame = OpenFrame()
    var reservation = Reservation()
    var queuedTotal = 0
    var readyHead: Int32 = -1
    var readyTail: Int32 = -1
    var readyCount = 0

    // Floods and keepalive; see +Frames.
    var resets: TokenBucket
    var settingsFrames: TokenBucket
    var pings: TokenBucket
    var emptyData: TokenBucket
    var ignoredFrames: TokenBucket
    /// Frames the peer made us write since the output was last empty.
    var answersUnread = 0
    var lastPingAt: UInt64?
    var pingStrikes = 0
    var sentSincePing = true

    init(isServer: Bool, limits: ConnectionLimits, methods: MethodTable?) {
        self.isServer = isServer
        self.limits = limits
        phase = isServer ? .preface : .frameHeader
        decoder = HPACKDecoder(listBytesMax: limits.headerListBytesMax, methods: methods)
        receiveWindow = limits.connectionWindowBytes
        resets = TokenBucket(limits.budgets.resets)
        settingsFrames = TokenBucket(limits.budgets.settings)
        pings = TokenBucket(limits.budgets.pings)
        emptyData = TokenBucket(limits.budgets.emptyData)
        ignoredFrames = TokenBucket(limits.budgets.ignored)
        // The server's at once, not after the client's: some clients wait for them.
        sendPreface()
    }

    deinit {
        partial.deallocate()
        headerBlock.deallocate()
        delivered.deallocate()
    }

    var isDrained: Bool { (drain == .closing || drain == .reported) && streams.count == 0 }

    // MARK: - Ending

    /// A connection error: GOAWAY, and nothing is received or sent any more (RFC 9113 §5.4.1). Reported once.
    @discardableResult
    mutating func stop(_ code: ErrorCode, _ reason: String) -> Event {
        guard failure == nil else { return .nothing }
        failure = (code, reason)
        reservation.isActive = false
        writeGoAway(lastStream: min(announcedLast, isServer ? lastPeerStream : 0), code, Array(reason.utf8))
        return .nothing
    }

    mutating func shutDown() {
        guard failure == nil else { return }
        switch drain {
        case .none where isServer:
            drain = .announced
            writeGoAway(lastStream: UInt32(Int32.max), .noError, [])
            writePing(Self.drainPing, isAck: false)
        case .none, .announced:
            finishAnnouncement()
        case .closing, .reported:
            break
        }
    }

    /// Payload of the PING that marks how far the peer has read.
    static let drainPing: UInt64 = 0x7374_7261_6B65_0001

    mutating func finishAnnouncement() {
        drain = .closing
        announcedLast = isServer ? lastPeerStream : 0
        writeGoAway(lastStream: announcedLast, .noError, [])
    }
}
