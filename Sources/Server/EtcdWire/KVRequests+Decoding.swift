package import StrakeModel

extension RangeRequest {
    /// Reads a request. `validate` still has to be called.
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) {
        let fields = try RangeRequestFields(request: bytes)
        if let error = fields.error { throw .refused(error) }
        self = fields.request
    }
}

extension PutRequest {
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try PutRequestFields(request: bytes).request
    }
}

extension DeleteRangeRequest {
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try DeleteRangeRequestFields(request: bytes).request
    }
}

extension TxnRequest {
    /// Reads a request. `validate` still has to be called, with the same limit.
    ///
    /// - Parameter maxOperations: Decides which error is the first of a request that is refused here already.
    package init(protobuf bytes: UnsafeRawBufferPointer, maxOperations: Int) throws(WireError) {
        var decoder = TxnDecoder()
        var request = TxnRequest()
        do throws(ProtobufError) {
            try decoder.read(bytes, into: &request)
        } catch {
            throw .malformed(error)
        }
        if decoder.isFull { throw .refused(.tooManyOperations) }
        let defects = decoder.defects
        if !defects.isEmpty {
            do throws(StoreError) {
                try request.validate(maxOperations: maxOperations, defects: defects)
            } catch {
                throw .refused(error)
            }
        }
        self = request
    }
}

/// Reads a transaction, nested ones included, and notes what a `TxnRequest` cannot hold.
private struct TxnDecoder {
    /// By where they are, in the order of their finding.
    private var found: [(path: TxnRequest.Path, error: StoreError)] = []
    /// Positions in the paths of all that was noted, whatever became of it.
    private var positions = 0
    private static let positionsMax = 1 << 20

    /// More is wrong than is noted: a small message can have a great many operations, each deep inside.
    var isFull: Bool { positions > Self.positionsMax }
    /// The nested transaction being read, as positions from the outermost one in.
    private var path: TxnRequest.Path = []

    /// What an operation holds, of several given the last; messages of the same kind add up.
    private enum Operation {
        case none
        case range(RangeRequestFields)
        case put(PutRequestFields)
        case deleteRange(DeleteRangeRequestFields)
        case txn(TxnRequest)
    }

    var defects: [TxnRequest.Path: StoreError] {
        Dictionary(found.map { ($0.path, $0.error) }) { _, last in last }
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer, into txn: inout TxnRequest) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while true {
            switch try reader.nextTag() {
            case 0: return
            case Tag.bytes(1): txn.compare.append(try CompareFields(try reader.bytes()).compare)
            case Tag.bytes(2): txn.success.append(try operation(try reader.bytes(), at: txn.success.count))
            case Tag.bytes(3): txn.failure.append(try operation(try reader.bytes(), at: ~txn.failure.count))
            case let tag: try reader.skip(tag)
            }
        }
    }

    private mutating func operation(
        _ bytes: UnsafeRawBufferPointer, at position: Int
    ) throws(ProtobufError) -> RequestOp {
        switch try fields(of: bytes, at: position) {
        case .range(let fields):
            if let error = fields.error { note(error, at: position) }
            return .range(fields.request)
        case .put(let fields): return .put(fields.request)
        case .deleteRange(let fields): return .deleteRange(fields.request)
        case .txn(let txn): return .txn(txn)
        case .none:
            note(.keyNotFound, at: position)
            return .range(RangeRequest(range: .key([])))
        }
    }

    private mutating func fields(
        of bytes: UnsafeRawBufferPointer, at position: Int
    ) throws(ProtobufError) -> Operation {
        var operation = Operation.none
        // A later member of the oneof takes the place of a nested transaction, and of all that was wrong with it.
        let before = found.count
        var reader = ProtobufReader(bytes)
        while true {
            switch try reader.nextTag() {
            case 0: return operation
            case Tag.bytes(1):
                found.removeLast(found.count - before)
                var fields = if case .range(let fields) = operation { fields } else { RangeRequestFields() }
                try fields.read(try reader.bytes())
                operation = .range(fields)
            case Tag.bytes(2):
                found.removeLast(found.count - before)
                var fields = if case .put(let fields) = operation { fields } else { PutRequestFields() }
                try fields.read(try reader.bytes())
                operation = .put(fields)
            case Tag.bytes(3):
                found.removeLast(found.count - before)
                var fields = if case .deleteRange(let fields) = operation { fields } else { DeleteRangeRequestFields() }
                try fields.read(try reader.bytes())
                operation = .deleteRange(fields)
            case Tag.bytes(4):
                var inner = if case .txn(let txn) = operation { txn } else { TxnRequest() }
                // The only one who holds it: what is added to it must not copy it.
                operation = .none
                try nested(try reader.bytes(), at: position, into: &inner)
                operation = .txn(inner)
            case let tag: try reader.skip(tag)
            }
        }
    }

    private mutating func nested(
        _ bytes: UnsafeRawBufferPointer, at position: Int, into txn: inout TxnRequest
    ) throws(ProtobufError) {
        guard path.count + 2 <= TxnRequest.depthMax else {
            // What is inside no longer matters, and reading it would take stack.
            return note(.tooManyOperations, at: position)
        }
        path.append(position)
        try read(bytes, into: &txn)
        path.removeLast()
    }

    private mutating func note(_ error: StoreError, at position: Int) {
        positions += path.count + 1
        if !isFull { found.append((path + [position], error)) }
    }
}
