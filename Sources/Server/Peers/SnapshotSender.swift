internal import NIOCore
internal import NIOPosix
internal import StrakeChecksum
internal import StrakeRaft
internal import StrakeStore

/// One snapshot on its way to a member, over a connection of its own. A piece is read when the one before has gone to the
/// socket, so two pieces and the socket's buffer are all the memory it takes. It lives on the loop.
final class SnapshotSender: OutgoingOwner, @unchecked Sendable {
    static let pieceBytes = 256 << 10

    private enum State {
        case connecting
        /// The member has been told which snapshot it is.
        case offered
        /// It has said how much it has, and the source is brought there.
        case resuming
        case streaming
        /// All is sent; the member makes it durable.
        case sent
        case ended
    }

    let member: MemberID
    private let metadata: SnapshotMetadata
    private let source: any SnapshotSource
    private unowned let loop: PeerLoop
    private var state = State.connecting
    private var connection: OutgoingConnection?
    /// The source is being read on a thread of the pool.
    private var isReading = false
    /// Others have their turn; the next piece is read when it is over.
    private var isPausing = false
    private var pace = SnapshotPace()
    private var readSince = NIODeadline.now()
    private let began = NIODeadline.now()
    private let counters: TransferCounters?
    private var bytes = 0
    private var checksum = CRC32C()

    init(_ metadata: SnapshotMetadata, to member: MemberID, from source: any SnapshotSource, loop: PeerLoop) {
        self.metadata = metadata
        self.member = member
        self.source = source
        self.loop = loop
        counters = loop.mailbox.counters(of: member)?.snapshotsSent
        counters?.begin()
    }

    func start(_ url: PeerURL) {
        let connection = OutgoingConnection(
            loop.hello(to: member, .snapshot), options: loop.options, counters: loop.mailbox.counters(of: member),
            owner: self)
        self.connection = connection
        connection.connect(to: url, on: loop)
    }

    var name: UInt64 { source.name }

    /// Ends it without a report: another one took its place, or the member left.
    func abandon() {
        if case .ended = state { return }
        counters?.fail()
        end()
    }

    private func succeed() {
        if case .ended = state { return }
        counters?.succeed(nanoseconds: UInt64(max(0, (NIODeadline.now() - began).nanoseconds)))
        end()
        // Each time.
        loop.forgetNotices(about: "snapshot to \(member)")
        loop.tell(.snapshotSent(member, bytes: bytes), about: "snapshot to \(member)")
        loop.snapshotEnded(self, .delivered, reason: nil)
    }

    /// The receiver of the report tells the operator: it knows what happens next.
    private func fail(_ reason: String) {
        if case .ended = state { return }
        counters?.fail()
        end()
        loop.snapshotEnded(self, .failed, reason: reason)
    }

    private func end() {
        if case .ended = state { return }
        state = .ended
        connection?.close()
        connection = nil
        // The thread that reads it cancels it when it comes back.
        if !isReading { cancelSource() }
    }

    private func cancelSource() {
        let source = source
        loop.snapshotThreads.submit { source.cancel() }
    }

    // MARK: Connection

    func opened(_ connection: OutgoingConnection) {
        state = .offered
        var buffer = ByteBuffer()
        Frame.append(.snapshotBegin, payloadBytes: MessageCodec.encodedSize(metadata) + 8, to: &buffer) {
            MessageCodec.encode(metadata, to: &$0)
            $0.add(source.name)
        }
        connection.write(buffer)
    }

    func received(_ frame: Frame, on connection: OutgoingConnection) throws(PeerProtocolError) {
        switch frame.type {
        case .pong: return
        case .snapshotReply: try receiveReply(frame)
        case .message, .ask, .answer, .ping, .snapshotBegin, .snapshotPiece, .snapshotEnd:
            throw .unexpectedFrame(frame.type.rawValue)
        }
    }

    private func receiveReply(_ frame: Frame) throws(PeerProtocolError) {
        let (code, offset, text) = try frame.read { reader throws(PeerProtocolError) in
            (
                try reader.integer(UInt8.self), try reader.integer(UInt64.self),
                String(decoding: reader.rest(), as: UTF8.self)
            )
        }
        guard let reply = SnapshotReply(rawValue: code) else { throw .malformed("snapshot reply") }
        switch (reply, state) {
        case (.accepted, .offered): resume(at: offset)
        case (.done, .sent): succeed()
        case (.refused, _): fail("the member refused it")
        case (.failed, _): fail("the member reports: \(text)")
        case (.accepted, _), (.done, _): throw .malformed("snapshot reply")
        }
    }

    func writabilityChanged(_ connection: OutgoingConnection) { readNext() }

    func ended(_ connection: OutgoingConnection, _ end: OutgoingConnection.End) {
        switch end {
        case .refused(let refusal): fail("\(refusal)")
        case .failed(let reason): fail(reason)
        }
    }

    func tick(_ now: NIODeadline) {
        guard let connection else { return }
        switch state {
        case .connecting, .ended: return
        case .offered, .resuming, .streaming, .sent: break
        }
        let patience = connection.patienceMilliseconds
        if !isReading, now - connection.lastSign > .milliseconds(Int64(patience)) {
            return fail("the member took nothing for \(patience) ms")
        }
        guard connection.isWritable else { return }
        var buffer = ByteBuffer()
        Frame.append(.ping, payloadBytes: 8, to: &buffer) { $0.add(now.uptimeNanoseconds) }
        connection.write(buffer)
    }

    // MARK: Pieces

    private func resume(at offset: UInt64) {
        state = .resuming
        isReading = true
        let source = source
        loop.snapshotThreads.submit {
            let result = Result { try source.resume(at: offset) }
            self.loop.eventLoop.execute { self.resumed(result) }
        }
    }

    private func resumed(_ result: Result<Void, any Error>) {
        isReading = false
        guard case .resuming = state else { return cancelSource() }
        switch result {
        case .failure(let error): fail("it cannot be read: \(error)")
        case .success:
            state = .streaming
            readNext()
        }
    }

    private func readNext() {
        guard case .streaming = state, !isReading, !isPausing, let connection, connection.isWritable else { return }
        isReading = true
        readSince = .now()
        let source = source
        loop.snapshotThreads.submit {
            let piece = Result { try source.next(bytesMax: Self.pieceBytes) }
            self.loop.eventLoop.execute { self.pieceRead(piece) }
        }
    }

    private func pieceRead(_ result: Result<[UInt8]?, any Error>) {
        isReading = false
        guard case .streaming = state, let connection else { return cancelSource() }
        switch result {
        case .failure(let error): fail("it cannot be read: \(error)")
        case .success(let piece?):
            guard piece.count <= Self.pieceBytes else {
                return fail("a piece of \(piece.count) bytes, where at most \(Self.pieceBytes) were asked for")
            }
            bytes += piece.count
            checksum.add(piece)
            var buffer = ByteBufferAllocator().buffer(capacity: Frame.headerBytes + piece.count)
            Frame.append(.snapshotPiece, payloadBytes: piece.count, to: &buffer) { $0.add(piece) }
            connection.write(buffer)
            pause(after: piece.count)
            readNext()
        case .success(nil):
            state = .sent
            var buffer = ByteBuffer()
            Frame.append(.snapshotEnd, payloadBytes: 12, to: &buffer) { writer in
                writer.add(UInt64(bytes))
                writer.add(checksum.value)
            }
            connection.write(buffer)
        }
    }

    private func pause(after bytes: Int) {
        let pause = pace.pause(
            after: bytes, in: (NIODeadline.now() - readSince).nanoseconds, writesOfClients: source.writesOfClients)
        guard pause > 0 else { return }
        isPausing = true
        loop.eventLoop.scheduleTask(in: .nanoseconds(pause)) {
            self.isPausing = false
            self.readNext()
        }
    }
}
