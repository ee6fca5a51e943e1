internal import NIOCore
internal import NIOPosix
internal import StrakeEtcdWire
internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore

/// Where the pieces of a large answer come from. Used by one thread at a time.
protocol PieceSource: AnyObject, Sendable {
    /// Nil: it has worked for a while and is to be asked again, once others have had the thread.
    func next() throws(MVCCError) -> LongAnswer.Piece?
}

/// A large answer on its way to a client, in pieces: the next piece is read when the client has taken the last, so that
/// an answer of any size takes little memory, and a client that stops reading costs no more.
///
/// It lives on the session's event loop; pieces are read and encoded on the reader threads.
final class LongAnswer {
    struct Piece: Sendable {
        var bytes: [UInt8]
        /// Where in `bytes` it begins.
        var start = 0
        /// The piece begins a gRPC message of this many bytes.
        var messageLength: UInt32?
        var isLast: Bool
    }

    /// The first piece, and where more come from.
    typealias Opening = @Sendable () throws(MVCCError) -> (Piece?, (any PieceSource)?)

    /// Bytes of a piece, give or take one value.
    static let pieceBytes = 256 << 10

    private let session: Session
    private let stream: StreamID
    private let framing: AnswerFraming
    /// Takes the time on the reader threads.
    private let times: OutcomeTimes?
    private var source: (any PieceSource)?
    private var piece: [UInt8] = []
    private var offset = 0
    private var isComplete = false
    private var isCanceled = false
    private var hasBegun = false
    /// Time on the reader threads so far.
    private var nanoseconds: UInt64 = 0
    /// Bytes the client has taken; what the stall timer looks at.
    private var taken = 0
    private var stallTimer: Scheduled<Void>?
    /// A client that takes nothing for so long is cut off: the answer keeps its revision from compaction.
    private static let stallLimit = TimeAmount.seconds(60)

    init(framing: AnswerFraming, times: OutcomeTimes?, on stream: StreamID, of session: Session) {
        self.framing = framing
        self.times = times
        self.stream = stream
        self.session = session
    }

    func start(_ open: @escaping Opening) { onReader(open) }

    func cancel() {
        isCanceled = true
        source = nil
        stallTimer?.cancel()
        stallTimer = nil
    }

    private func watchForStall() {
        let seen = taken
        let bound = NIOLoopBound(self, eventLoop: session.loop.eventLoop)
        stallTimer = session.loop.eventLoop.scheduleTask(in: Self.stallLimit) {
            let answer = bound.value
            guard !answer.isCanceled, answer.taken == seen else {
                return answer.isCanceled ? () : answer.watchForStall()
            }
            answer.cancel()
            answer.session.closeCall(answer.stream, .canceled)
            answer.session.engine.reset(answer.stream, .cancel)
            answer.session.loop.touch(answer.session)
            answer.session.loop.flush()
        }
    }

    /// The stream takes `capacity` more bytes.
    func writable(capacity: Int) {
        guard !isCanceled else { return }
        var room = capacity
        while room > 0, offset < piece.count {
            let count = min(room, piece.count - offset)
            guard let memory = session.engine.beginBytes(stream, bytesMax: count) else { return }
            piece.withUnsafeBytes {
                memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
            }
            session.engine.endBytes(stream, count: count)
            offset += count
            taken += count
            room -= count
        }
        session.loop.touch(session)
        if offset < piece.count {
            session.engine.requestWrite(stream)
        } else if isComplete {
            cancel()
            session.finish(stream, EtcdStatus(code: .ok, message: ""))
        } else {
            produce()
        }
    }

    private func produce() {
        guard let source else { return }
        // Not two pieces at a time.
        piece = []
        offset = 0
        onReader { () throws(MVCCError) in (try source.next(), source) }
    }

    /// Runs the work on a reader thread and takes its piece on the loop.
    private func onReader(_ work: @escaping Opening) {
        let answer = NIOLoopBound(self, eventLoop: session.loop.eventLoop)
        let eventLoop = session.loop.eventLoop
        session.service.readers.submit { _ in
            let began = MonotonicClock.nanoseconds
            do throws(MVCCError) {
                let (piece, source) = try work()
                let nanoseconds = MonotonicClock.nanoseconds - began
                eventLoop.execute { answer.value.take(piece, from: source, after: nanoseconds) }
            } catch {
                let status = EtcdStatus(error)
                let nanoseconds = MonotonicClock.nanoseconds - began
                eventLoop.execute { answer.value.fail(status, after: nanoseconds) }
            }
        }
    }

    private func fail(_ status: EtcdStatus, after nanoseconds: UInt64) {
        guard !isCanceled else { return }
        times?.failed.record(self.nanoseconds + nanoseconds)
        source = nil
        session.finish(stream, status)
        session.loop.touch(session)
        session.loop.flush()
    }

    private func take(_ next: Piece?, from source: (any PieceSource)?, after nanoseconds: UInt64) {
        guard !isCanceled else { return }
        self.nanoseconds += nanoseconds
        guard let next else {
            self.source = source
            return produce()
        }
        if next.isLast { times?.succeeded.record(self.nanoseconds) }
        self.source = next.isLast ? nil : source
        isComplete = next.isLast
        piece = next.bytes
        offset = next.start
        if !hasBegun, next.isLast, case .unary = framing, piece.count <= Self.pieceBytes {
            session.reply(stream, encoded: piece)
        } else {
            if !hasBegun { watchForStall() }
            hasBegun = true
            if let length = next.messageLength {
                guard session.engine.beginLongMessage(stream, length: length) else { return cancel() }
                if case .stream = framing, let method = session.streams[stream]?.method {
                    session.loop.tally.add(.sent, of: method)
                }
            }
            session.engine.requestWrite(stream)
            var handler = session
            session.engine.resumeWriting(handler: &handler)
            session.loop.touch(session)
        }
        session.loop.flush()
    }
}

extension LongAnswer.Piece {
    /// A whole answer, which is shorter than 4 GiB.
    init(message: [UInt8]) {
        self.init(bytes: message, messageLength: UInt32(message.count), isLast: true)
    }
}

/// How the pieces of an answer become gRPC messages.
enum AnswerFraming: Sendable {
    /// One message of any length.
    case unary
    /// A message a piece, as `RangeStream` sends them.
    case stream
}
