internal import StrakeEtcdWire
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore

/// Reads a range piece by piece at one revision, each piece in a short view of its own. Used by one thread at a time.
final class RangeSource: @unchecked Sendable {
    typealias Piece = LongAnswer.Piece

    /// Keys in a stream's first message; from there the number follows the size of what was sent.
    private static let streamKeysAtFirst = 10
    /// Messages of a stream above this many bytes make the next one smaller, those below half of it larger.
    private static let streamBytesGoal = 1_536 << 10

    private let framing: RangeFraming
    private let reader: Reader
    private let header: ResponseHeader
    private var plan: RangePlan
    private var hasHeader = false
    private var streamKeys = streamKeysAtFirst

    /// Counts and sizes the whole answer.
    init(_ request: RangeRequest, framing: RangeFraming, service: Service) throws(MVCCError) {
        self.framing = framing
        reader = service.store.reader
        plan = try reader.withView { view throws(MVCCError) in
            try view.plan(request) { KeyValueFields($0).rangeFieldSize }
        }
        header = service.header(revision: plan.headerRevision)
    }

    func next() throws(MVCCError) -> Piece {
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
        let isLast = try appendKeys(keysMax: .max, to: &bytes)
        if isLast { appendTail(to: &bytes) }
        return Piece(bytes: bytes, messageLength: length, isLast: isLast)
    }

    private func nextOfStream() throws(MVCCError) -> Piece {
        var body: [UInt8] = []
        let isLast = try appendKeys(keysMax: streamKeys, to: &body)
        if body.count > Self.streamBytesGoal {
            streamKeys = max(1, streamKeys / 2)
        } else if body.count < Self.streamBytesGoal / 2 {
            streamKeys *= 2
        }
        var response: [UInt8] = []
        if isLast {
            append(RangeParts.headerSize(header), to: &response) { RangeParts.encodeHeader(header, to: &$0) }
            response += body
            appendTail(to: &response)
        } else {
            response = body
        }
        var bytes: [UInt8] = []
        append(RangeParts.streamPrefixSize(response.count), to: &bytes) {
            RangeParts.encodeStreamPrefix(response.count, to: &$0)
        }
        bytes += response
        return Piece(bytes: bytes, messageLength: UInt32(bytes.count), isLast: isLast)
    }

    private func appendKeys(keysMax: Int, to bytes: inout [UInt8]) throws(MVCCError) -> Bool {
        var plan = self.plan
        var out = bytes
        // A stream's messages are cut by keys, so one key is taken at a time; a unary answer is cut by bytes alone.
        let isCounted = keysMax != .max
        var keys = 0
        let isLast = try reader.withView { view throws(MVCCError) in
            var isLast = false
            repeat {
                isLast = try view.next(&plan, byteBudget: isCounted ? 1 : LongAnswer.pieceBytes) { item in
                    let fields = KeyValueFields(item.fields)
                    append(fields.rangeFieldSize, to: &out) {
                        fields.encodeRangeField(key: item.key, value: item.value, to: &$0)
                    }
                }
                keys += 1
            } while isCounted && !isLast && keys < keysMax
            return isLast
        }
        self.plan = plan
        bytes = out
        return isLast
    }

    private var tailSize: Int { RangeParts.tailSize(more: plan.more, count: plan.count) }

    private func appendTail(to bytes: inout [UInt8]) {
        append(tailSize, to: &bytes) { RangeParts.encodeTail(more: plan.more, count: plan.count, to: &$0) }
    }

    /// Makes room at the end and has it written.
    private func append(_ count: Int, to bytes: inout [UInt8], _ encode: (inout ProtobufWriter) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        bytes.withUnsafeMutableBytes { memory in
            var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(rebasing: memory[start...]))
            encode(&writer)
        }
    }
}

extension KeyValueFields {
    init(_ fields: KeyFields) {
        self.init(
            keyCount: fields.keyCount, valueCount: fields.valueCount, createRevision: fields.createRevision,
            modRevision: fields.modRevision, version: fields.version, lease: fields.lease)
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
