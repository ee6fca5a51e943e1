// A transaction inside a command; the layout is described in Command+Encoding.swift.

extension TxnRequest {
    /// How deep transactions may nest, the outermost being 1. etcd's bound follows from its limit of operations, 128 by
    /// default; this one also holds where that limit is set higher, because reading the nesting back takes stack.
    package static let depthMax = 256

    var commandSize: Int {
        var size = CommandWriter.size(UInt64(compare.count))
        for comparison in compare { size += comparison.commandSize }
        return size + Self.commandSize(of: success) + Self.commandSize(of: failure)
    }

    private static func commandSize(of operations: [RequestOp]) -> Int {
        var size = CommandWriter.size(UInt64(operations.count))
        for operation in operations { size += operation.commandSize }
        return size
    }

    func encodeCommand(to writer: inout CommandWriter) {
        writer.unsigned(UInt64(compare.count))
        for comparison in compare { comparison.encodeCommand(to: &writer) }
        writer.unsigned(UInt64(success.count))
        for operation in success { operation.encodeCommand(to: &writer) }
        writer.unsigned(UInt64(failure.count))
        for operation in failure { operation.encodeCommand(to: &writer) }
    }

    init(from reader: inout CommandReader, depth: Int = 1) throws(CommandDecodingError) {
        guard depth <= Self.depthMax else { throw .malformed }
        self.init()
        // An element takes at least four bytes, so a count that could not fit is refused before memory is set aside.
        let comparisons = try reader.count(ofAtLeast: 4)
        compare.reserveCapacity(comparisons)
        for _ in 0..<comparisons { compare.append(try Compare(from: &reader)) }
        success = try Self.operations(from: &reader, depth: depth)
        failure = try Self.operations(from: &reader, depth: depth)
    }

    private static func operations(
        from reader: inout CommandReader, depth: Int
    ) throws(CommandDecodingError) -> [RequestOp] {
        let count = try reader.count(ofAtLeast: 4)
        var operations: [RequestOp] = []
        operations.reserveCapacity(count)
        for _ in 0..<count { operations.append(try RequestOp(from: &reader, depth: depth)) }
        return operations
    }
}

extension RequestOp {
    private enum Kind: UInt8 {
        case put = 1
        case deleteRange = 2
        case txn = 3
        case range = 4
    }

    var commandSize: Int {
        switch self {
        case .put(let put): 1 + put.commandSize
        case .deleteRange(let delete): 1 + delete.commandSize
        case .txn(let txn): 1 + txn.commandSize
        case .range(let range): 1 + range.commandSize
        }
    }

    func encodeCommand(to writer: inout CommandWriter) {
        switch self {
        case .put(let put):
            writer.byte(Kind.put.rawValue)
            put.encodeCommand(to: &writer)
        case .deleteRange(let delete):
            writer.byte(Kind.deleteRange.rawValue)
            delete.encodeCommand(to: &writer)
        case .txn(let txn):
            writer.byte(Kind.txn.rawValue)
            txn.encodeCommand(to: &writer)
        case .range(let range):
            writer.byte(Kind.range.rawValue)
            range.encodeCommand(to: &writer)
        }
    }

    init(from reader: inout CommandReader, depth: Int) throws(CommandDecodingError) {
        switch Kind(rawValue: try reader.byte()) {
        case .put: self = .put(try PutRequest(from: &reader))
        case .deleteRange: self = .deleteRange(try DeleteRangeRequest(from: &reader))
        case .txn: self = .txn(try TxnRequest(from: &reader, depth: depth + 1))
        case .range: self = .range(try RangeRequest(from: &reader))
        case nil: throw .malformed
        }
    }
}

extension Compare {
    private enum TargetKind: UInt8 {
        case version = 0
        case createRevision = 1
        case modRevision = 2
        case value = 3
        case lease = 4
    }

    var commandSize: Int {
        let operand =
            switch target {
            case .version(let number), .createRevision(let number), .modRevision(let number):
                CommandWriter.size(signed: number)
            case .value(let value): CommandWriter.size(bytes: value.count)
            case .lease(let lease): CommandWriter.size(signed: lease.rawValue)
            }
        return 2 + range.commandSize + operand
    }

    func encodeCommand(to writer: inout CommandWriter) {
        let kind: TargetKind =
            switch target {
            case .version: .version
            case .createRevision: .createRevision
            case .modRevision: .modRevision
            case .value: .value
            case .lease: .lease
            }
        writer.byte(result.rawValue)
        writer.byte(kind.rawValue)
        range.encodeCommand(to: &writer)
        switch target {
        case .version(let number), .createRevision(let number), .modRevision(let number): writer.signed(number)
        case .value(let value): writer.bytes(value)
        case .lease(let lease): writer.signed(lease.rawValue)
        }
    }

    init(from reader: inout CommandReader) throws(CommandDecodingError) {
        guard let result = Result(rawValue: try reader.byte()), let kind = TargetKind(rawValue: try reader.byte())
        else { throw .malformed }
        let range = try KeyRange(from: &reader)
        let target: Target =
            switch kind {
            case .version: .version(try reader.signed())
            case .createRevision: .createRevision(try reader.signed())
            case .modRevision: .modRevision(try reader.signed())
            case .value: .value(try reader.bytes())
            case .lease: .lease(LeaseID(rawValue: try reader.signed()))
            }
        self.init(range: range, result: result, target: target)
    }
}
