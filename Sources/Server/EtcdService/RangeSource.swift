internal import StrakeEtcdWire
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore

/// Reads a range piece by piece at one revision, each piece in a short view of its own. Used by one thread at a time.
final class RangeSource: PieceSource, @unchecked Sendable {
    typealias Piece = LongAnswer.Piece

    /// Keys in a stream's first message; from there the number follows the size of what was sent.
    private static let streamKeysAtFirst = 10
    /// Messages of a stream above this many bytes make the next one smaller, those below half of it larger.
    private static let streamBytesGoal = 1_536 << 10
    /// Bytes at which a stream's message ends whatever number of keys is its due: small values may be followed by large
    /// ones. Ten keys of the largest request fit, so a first message is as long as etcd's.
    private static let streamBytesMax = 16 << 20

    private let framing: AnswerFraming
    private let reader: Reader
    private let header: ResponseHeader
    private var plan: RangePlan
    private var hasHeader = false
    private var streamKeys = streamKeysAtFirst

    /// Counts and sizes the whole answer.
    init(_ request: RangeRequest, framing: AnswerFraming, service: Service) throws(MVCCError) {
        self.framing = framing
        reader = service.store.reader
        plan = try reader.withView { view throws(MVCCError) in
            try view.plan(request) { $0.rangeFieldSize }
        }
        header = service.header(revision: plan.headerRevision)
    }

    func next() throws(MVCCError) -> Piece? {
        switch framing {
        case .unary: try nextOfUnary()
        case .stream: try nextOfStream()
        }
    }

    private func nextOfUnary() throws(MVCCError) -> Piece {
        var bytes: [UInt8] = []
        var length: UInt32?
        if !hasHeader {
            hasHeader = true
            let total = RangeParts.headerSize(header) + plan.bytes + tailSize
            guard let fits = UInt32(exactly: total) else { throw .refused(.requestTooLarge) }
            length = fits
            bytes.reserveCapacity(min(total, LongAnswer.pieceBytes * 2))
            append(RangeParts.headerSize(header), to: &bytes) { RangeParts.encodeHeader(header, to: &$0) }
        }
        let isLast = try appendKeys(byteBudget: LongAnswer.pieceBytes, to: &bytes)
        if isLast { appendTail(to: &bytes) }
        return Piece(bytes: bytes, messageLength: length, isLast: isLast)
    }

    private func nextOfStream() throws(MVCCError) -> Piece {
        // What stands before the keys is known after them: room for it is left at the front.
        let front = RangeParts.streamPrefixSizeMax + RangeParts.headerSize(header)
        var bytes = [UInt8](repeating: 0, count: front)
        let before = plan.remaining
        let isLast = try appendKeys(keysMax: streamKeys, byteBudget: Self.streamBytesMax, to: &bytes)
        adaptStreamKeys(to: bytes.count - front, of: before - plan.remaining)
        var start = front
        if isLast {
            appendTail(to: &bytes)
            start -= RangeParts.headerSize(header)
            write(start..<front, of: &bytes) { RangeParts.encodeHeader(header, to: &$0) }
        }
        let size = bytes.count - start
        let body = start
        start -= RangeParts.streamPrefixSize(size)
        write(start..<body, of: &bytes) { RangeParts.encodeStreamPrefix(size, to: &$0) }
        return Piece(bytes: bytes, start: start, messageLength: UInt32(bytes.count - start), isLast: isLast)
    }

    private func adaptStreamKeys(to bytes: Int, of keys: Int) {
        if bytes > Self.streamBytesGoal {
            streamKeys = max(1, keys / 2)
        } else if bytes < Self.streamBytesGoal / 2 {
            streamKeys *= 2
        }
    }

    private func appendKeys(
        keysMax: Int = .max, byteBudget: Int, to bytes: inout [UInt8]
    ) throws(MVCCError) -> Bool {
        try reader.withView { view throws(MVCCError) in
            try view.next(&plan, keysMax: keysMax, byteBudget: byteBudget) { item in
                append(item.fields.rangeFieldSize, to: &bytes) {
                    item.fields.encodeRangeField(key: item.key, value: item.value, to: &$0)
                }
            }
        }
    }

    private var tailSize: Int { RangeParts.tailSize(more: plan.more, count: plan.count) }

    private func appendTail(to bytes: inout [UInt8]) {
        append(tailSize, to: &bytes) { RangeParts.encodeTail(more: plan.more, count: plan.count, to: &$0) }
    }

    /// Makes room at the end and has it written.
    private func append(_ count: Int, to bytes: inout [UInt8], _ encode: (inout ProtobufWriter) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        write(start..<bytes.count, of: &bytes, encode)
    }

    /// Writes exactly these bytes: the writer may overwrite what is behind them in its memory.
    private func write(_ range: Range<Int>, of bytes: inout [UInt8], _ encode: (inout ProtobufWriter) -> Void) {
        bytes.withUnsafeMutableBytes { memory in
            var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(rebasing: memory[range]))
            encode(&writer)
        }
    }
}

extension EtcdStatus {
    init(_ error: MVCCError) {
        switch error {
        case .refused(let reason): self.init(reason)
        case .storage(let damage): self.init(code: .dataLoss, message: "etcdserver: corrupt store: \(damage)")
        }
    }
}
