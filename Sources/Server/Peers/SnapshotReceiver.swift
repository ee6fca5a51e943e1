internal import NIOCore
internal import NIOPosix
internal import StrakeChecksum
internal import StrakeRaft
internal import StrakeStore

/// One snapshot on its way in. Pieces go to the sink on a thread of the pool, one after the other; while one is there,
/// nothing more is read from the socket. It lives on the loop.
final class SnapshotReceiver: @unchecked Sendable {
    /// Above what a sender of ours puts into a piece.
    static let pieceBytesMax = 1 << 20

    private enum Work {
        case piece([UInt8])
        case finish
    }

    private enum State {
        case waiting
        case receiving(any SnapshotSink)
        case ended
    }

    private let sender: MemberID
    private weak var connection: IncomingConnection?
    private unowned let loop: PeerLoop
    private var state = State.waiting
    private var work: [Work] = []
    /// The sink is in use on a thread of the pool.
    private var isWorking = false
    private var isComplete = false
    private var bytes = 0
    private var checksum = CRC32C()
    private var began = NIODeadline.now()
    private var counters: TransferCounters? { loop.mailbox.counters(of: sender)?.snapshotsReceived }

    init(from sender: MemberID, on connection: IncomingConnection, loop: PeerLoop) {
        self.sender = sender
        self.connection = connection
        self.loop = loop
    }

    /// The disk has something to do.
    var isBusy: Bool { isWorking }

    func receive(_ frame: Frame) throws(PeerProtocolError) {
        switch (frame.type, state) {
        case (.ping, _): try connection?.pong(frame)
        case (_, .ended): return
        case (.snapshotBegin, .waiting): try begin(frame)
        case (.snapshotPiece, .receiving) where !isComplete:
            guard frame.payload.readableBytes <= Self.pieceBytesMax else {
                throw .frameTooLong(bytes: frame.payload.readableBytes, max: Self.pieceBytesMax)
            }
            let piece = [UInt8](frame.payload.readableBytesView)
            bytes += piece.count
            checksum.add(piece)
            work.append(.piece(piece))
            workNext()
        case (.snapshotEnd, .receiving) where !isComplete: try complete(frame)
        default: throw .unexpectedFrame(frame.type.rawValue)
        }
    }

    private func begin(_ frame: Frame) throws(PeerProtocolError) {
        let (metadata, name) = try frame.read { reader throws(PeerProtocolError) in
            let offer = (try MessageCodec.metadata(&reader), try reader.integer(UInt64.self))
            try reader.requireEnd()
            return offer
        }
        guard let sink = loop.receiver?.snapshotOffered(metadata, name: name, by: sender) else {
            state = .ended
            return reply(.refused)
        }
        state = .receiving(sink)
        began = .now()
        counters?.begin()
        reply(.accepted, offset: sink.offset)
    }

    private func complete(_ frame: Frame) throws(PeerProtocolError) {
        let (count, sum) = try frame.read { reader throws(PeerProtocolError) in
            (try reader.integer(UInt64.self), try reader.integer(UInt32.self))
        }
        guard count == UInt64(bytes) else { throw .malformed("snapshot length") }
        guard sum == checksum.value else { throw .checksum(expected: checksum.value, found: sum) }
        isComplete = true
        work.append(.finish)
        workNext()
    }

    /// Gives the sink the next thing to do.
    private func workNext() {
        guard case .receiving(let sink) = state, !isWorking, !work.isEmpty else { return }
        isWorking = true
        let next = work.removeFirst()
        loop.snapshotThreads.submit {
            let result = Result {
                switch next {
                case .piece(let bytes): try sink.write(bytes)
                case .finish: try sink.finish()
                }
            }
            self.loop.eventLoop.execute { self.worked(next, result, sink) }
        }
    }

    private func worked(_ done: Work, _ result: Result<Void, any Error>, _ sink: any SnapshotSink) {
        isWorking = false
        // Given up meanwhile.
        guard case .receiving = state else { return cancel(sink) }
        switch (result, done) {
        case (.failure(let error), _):
            fail("\(error)")
        case (.success, .finish):
            state = .ended
            counters?.succeed(nanoseconds: UInt64(max(0, (NIODeadline.now() - began).nanoseconds)))
            loop.forgetNotices(about: "snapshot from \(sender)")
            loop.tell(.snapshotReceived(sender, bytes: bytes), about: "snapshot from \(sender)")
            reply(.done)
            connection?.resumeReading()
        case (.success, .piece):
            workNext()
            if !isWorking { connection?.resumeReading() }
        }
    }

    private func fail(_ reason: String) {
        end(reason)
        reply(.failed, reason)
        // What still comes is thrown away, and the end of the connection is seen.
        connection?.resumeReading()
    }

    /// The connection is gone.
    func abandon() { end("the connection ended") }

    private func end(_ reason: String) {
        guard case .receiving(let sink) = state else { return }
        state = .ended
        work = []
        counters?.fail()
        loop.tell(.snapshotFailed(sender, reason), about: "snapshot from \(sender)")
        // The thread that uses it cancels it when it comes back.
        if !isWorking { cancel(sink) }
    }

    private func cancel(_ sink: any SnapshotSink) {
        loop.snapshotThreads.submit { sink.cancel() }
    }

    private func reply(_ reply: SnapshotReply, offset: UInt64 = 0, _ text: String = "") {
        let text = [UInt8](text.utf8.prefix(1_024))
        var buffer = ByteBuffer()
        Frame.append(.snapshotReply, payloadBytes: 9 + text.count, to: &buffer) { writer in
            writer.add(reply.rawValue)
            writer.add(offset)
            writer.add(text)
        }
        connection?.write(buffer)
    }
}
