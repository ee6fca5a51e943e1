package import StrakeModel

// The client's side: answers as they are read, whole.

/// A body that a client can read, with the header that every answer has.
package protocol ReadableResponse: ResponseBody {
    static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self>
}

/// Field 1 is the header, the others are the body's.
struct ResponseFields<Body: WireFields & ResponseBody>: WireFields {
    private var header = ResponseHeader()
    private var body = Body()

    init() {}

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(1) { try header.read(try reader.bytes()) } else { try body.read(tag, from: &reader) }
    }

    static func response(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Body> {
        let fields = try ResponseFields(bytes)
        return Response(fields.header, fields.body)
    }
}

extension KeyValue: WireFields {
    init() { self.init(key: []) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): key = Array(try reader.bytes())
        case Tag.varint(2): createRevision = try reader.int64()
        case Tag.varint(3): modRevision = try reader.int64()
        case Tag.varint(4): version = try reader.int64()
        case Tag.bytes(5): value = Array(try reader.bytes())
        case Tag.varint(6): lease = LeaseID(rawValue: try reader.int64())
        default: try reader.skip(tag)
        }
    }
}

extension RangeResponse: WireFields, ReadableResponse {
    init() { self.init(keyValues: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(2): keyValues.append(try KeyValue(try reader.bytes()))
        case Tag.varint(3): more = try reader.bool()
        case Tag.varint(4): count = try reader.int64()
        default: try reader.skip(tag)
        }
    }
}

extension PutResponse: WireFields, ReadableResponse {
    init() { self.init(previous: nil) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { previous = try KeyValue(try reader.bytes()) } else { try reader.skip(tag) }
    }
}

extension DeleteRangeResponse: WireFields, ReadableResponse {
    init() { self.init(deleted: 0) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): deleted = try reader.int64()
        case Tag.bytes(3): previous.append(try KeyValue(try reader.bytes()))
        default: try reader.skip(tag)
        }
    }
}

extension TxnResponse: ReadableResponse {
    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        let fields = try TxnResponseFields(bytes, depth: 1)
        var body = fields.body
        body.revision = fields.header.revision
        return Response(fields.header, body)
    }
}

/// A transaction's answer holds answers of transactions, as deep as the request's.
private struct TxnResponseFields {
    var header = ResponseHeader()
    var body = TxnResponse(succeeded: false)

    init(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(ProtobufError) {
        // No request of this depth is taken; a server that answers like that must not have our stack.
        guard depth <= TxnRequest.depthMax else { throw .tooDeep }
        var reader = ProtobufReader(bytes)
        while true {
            switch try reader.nextTag() {
            case 0: return
            case Tag.bytes(1): try header.read(try reader.bytes())
            case Tag.varint(2): body.succeeded = try reader.bool()
            case Tag.bytes(3):
                if let operation = try Self.operation(try reader.bytes(), depth: depth) {
                    body.responses.append(operation)
                }
            case let tag: try reader.skip(tag)
            }
        }
    }

    private static func operation(
        _ bytes: UnsafeRawBufferPointer, depth: Int
    ) throws(ProtobufError) -> ResponseOp? {
        var reader = ProtobufReader(bytes)
        var operation: ResponseOp?
        while true {
            switch try reader.nextTag() {
            case 0: return operation
            case Tag.bytes(1): operation = .range(try RangeResponse.response(protobuf: try reader.bytes()).body)
            case Tag.bytes(2): operation = .put(try PutResponse.response(protobuf: try reader.bytes()).body)
            case Tag.bytes(3):
                operation = .deleteRange(try DeleteRangeResponse.response(protobuf: try reader.bytes()).body)
            case Tag.bytes(4): operation = .txn(try TxnResponseFields(try reader.bytes(), depth: depth + 1).body)
            case let tag: try reader.skip(tag)
            }
        }
    }
}

extension LeaseGrantResponse: WireFields, ReadableResponse {
    init() { self.init(id: .none, ttlSeconds: 0) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): id = LeaseID(rawValue: try reader.int64())
        case Tag.varint(3): ttlSeconds = try reader.int64()
        default: try reader.skip(tag)
        }
    }
}

extension LeaseTimeToLiveResponse: WireFields, ReadableResponse {
    init() { self.init(id: .none, ttlSeconds: 0) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): id = LeaseID(rawValue: try reader.int64())
        case Tag.varint(3): ttlSeconds = try reader.int64()
        case Tag.varint(4): grantedSeconds = try reader.int64()
        case Tag.bytes(5): keys.append(Array(try reader.bytes()))
        default: try reader.skip(tag)
        }
    }
}

extension LeaseLeasesResponse: WireFields, ReadableResponse {
    init() { self.init(leases: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        guard tag == Tag.bytes(2) else { return try reader.skip(tag) }
        leases.append(try StoredLease(try reader.bytes()).id)
    }
}
