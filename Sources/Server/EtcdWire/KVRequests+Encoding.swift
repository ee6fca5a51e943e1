package import StrakeModel

// The client's side: requests as they are sent.

extension KeyRange {
    /// As requests have it.
    package var rangeEnd: [UInt8] {
        switch upper {
        case .single: []
        case .before(let end): end
        case .unbounded: [0]
        }
    }

    fileprivate func size(end field: UInt32) -> Int { ProtobufWriter.size(field, rangeEnd) }

    fileprivate func encode(end field: UInt32, to writer: inout ProtobufWriter) { writer.field(field, rangeEnd) }
}

extension RangeRequest: WireMessage {
    package var encodedSize: Int {
        let options =
            ProtobufWriter.size(5, UInt64(sortOrder.rawValue)) + ProtobufWriter.size(6, UInt64(sortTarget.rawValue))
            + ProtobufWriter.size(7, isSerializable) + ProtobufWriter.size(8, keysOnly)
            + ProtobufWriter.size(9, countOnly)
        let filters =
            ProtobufWriter.size(10, minModRevision) + ProtobufWriter.size(11, maxModRevision)
            + ProtobufWriter.size(12, minCreateRevision) + ProtobufWriter.size(13, maxCreateRevision)
        return ProtobufWriter.size(1, range.lower) + range.size(end: 2) + ProtobufWriter.size(3, limit)
            + ProtobufWriter.size(4, revision) + options + filters
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, range.lower)
        range.encode(end: 2, to: &writer)
        writer.field(3, limit)
        writer.field(4, revision)
        writer.field(5, UInt64(sortOrder.rawValue))
        writer.field(6, UInt64(sortTarget.rawValue))
        writer.field(7, isSerializable)
        writer.field(8, keysOnly)
        writer.field(9, countOnly)
        writer.field(10, minModRevision)
        writer.field(11, maxModRevision)
        writer.field(12, minCreateRevision)
        writer.field(13, maxCreateRevision)
    }
}

extension PutRequest: WireMessage {
    package var encodedSize: Int {
        ProtobufWriter.size(1, key) + ProtobufWriter.size(2, value) + ProtobufWriter.size(3, lease.rawValue)
            + ProtobufWriter.size(4, wantsPrevious) + ProtobufWriter.size(5, ignoreValue)
            + ProtobufWriter.size(6, ignoreLease)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, key)
        writer.field(2, value)
        writer.field(3, lease.rawValue)
        writer.field(4, wantsPrevious)
        writer.field(5, ignoreValue)
        writer.field(6, ignoreLease)
    }
}

extension DeleteRangeRequest: WireMessage {
    package var encodedSize: Int {
        ProtobufWriter.size(1, range.lower) + range.size(end: 2) + ProtobufWriter.size(3, wantsPrevious)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, range.lower)
        range.encode(end: 2, to: &writer)
        writer.field(3, wantsPrevious)
    }
}

extension TxnRequest: WireMessage {
    package var encodedSize: Int {
        var size = 0
        for comparison in compare { size += ProtobufWriter.size(1, bytes: comparison.encodedSize) }
        for operation in success { size += ProtobufWriter.size(2, bytes: operation.encodedSize) }
        for operation in failure { size += ProtobufWriter.size(3, bytes: operation.encodedSize) }
        return size
    }

    package func encode(to writer: inout ProtobufWriter) {
        for comparison in compare { comparison.encode(field: 1, to: &writer) }
        for operation in success { operation.encode(field: 2, to: &writer) }
        for operation in failure { operation.encode(field: 3, to: &writer) }
    }
}

extension WireMessage {
    /// As a field of another message.
    func encode(field: UInt32, to writer: inout ProtobufWriter) {
        writer.prefix(field, bytes: encodedSize)
        encode(to: &writer)
    }
}

extension RequestOp: WireMessage {
    private var content: (field: UInt32, message: any WireMessage) {
        switch self {
        case .range(let range): (1, range)
        case .put(let put): (2, put)
        case .deleteRange(let delete): (3, delete)
        case .txn(let txn): (4, txn)
        }
    }

    package var encodedSize: Int {
        let content = content
        return ProtobufWriter.size(content.field, bytes: content.message.encodedSize)
    }

    package func encode(to writer: inout ProtobufWriter) {
        let content = content
        content.message.encode(field: content.field, to: &writer)
    }
}

extension Compare: WireMessage {
    private var targetNumber: UInt64 {
        switch target {
        case .version: 0
        case .createRevision: 1
        case .modRevision: 2
        case .value: 3
        case .lease: 4
        }
    }

    /// The operand: a member of a oneof, which is written even when it is zero.
    private var operand: (field: UInt32, number: Int64) {
        switch target {
        case .version(let number): (4, number)
        case .createRevision(let number): (5, number)
        case .modRevision(let number): (6, number)
        case .value: (7, 0)
        case .lease(let lease): (8, lease.rawValue)
        }
    }

    package var encodedSize: Int {
        let operandSize =
            if case .value(let value) = target {
                ProtobufWriter.size(7, bytes: value.count)
            } else {
                1 + ProtobufWriter.size(UInt64(bitPattern: operand.number))
            }
        return ProtobufWriter.size(1, UInt64(result.rawValue)) + ProtobufWriter.size(2, targetNumber)
            + ProtobufWriter.size(3, range.lower) + operandSize + range.size(end: 64)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, UInt64(result.rawValue))
        writer.field(2, targetNumber)
        writer.field(3, range.lower)
        if case .value(let value) = target {
            writer.element(7, value)
        } else {
            writer.varint(UInt64(Tag.varint(operand.field)))
            writer.varint(UInt64(bitPattern: operand.number))
        }
        range.encode(end: 64, to: &writer)
    }
}
