package import StrakeModel

// The client's side: of each response what a load generator looks at, without copying keys and values.

extension ResponseHeader: WireFields {
    init() { self.init(clusterID: 0) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): clusterID = try reader.varint()
        case Tag.varint(2): memberID = try reader.varint()
        case Tag.varint(3): revision = try reader.int64()
        case Tag.varint(4): raftTerm = try reader.varint()
        default: try reader.skip(tag)
        }
    }
}

/// A response of which only the header matters: Put, DeleteRange, Compact, LeaseRevoke and others.
package struct HeaderSummary: WireFields, Hashable, Sendable {
    package var header = ResponseHeader()

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(1) { try header.read(try reader.bytes()) } else { try reader.skip(tag) }
    }
}

package struct RangeResponseSummary: WireFields, Hashable, Sendable {
    package var header = ResponseHeader()
    /// Pairs in this message.
    package var keyValueCount = 0
    package var more = false
    /// Keys in the whole range.
    package var count: Int64 = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): try header.read(try reader.bytes())
        case Tag.bytes(2):
            _ = try reader.bytes()
            keyValueCount += 1
        case Tag.varint(3): more = try reader.bool()
        case Tag.varint(4): count = try reader.int64()
        default: try reader.skip(tag)
        }
    }
}

/// One message of a RangeStream.
package struct RangeStreamResponseSummary: WireFields, Hashable, Sendable {
    package var range = RangeResponseSummary()

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(1) { try range.read(try reader.bytes()) } else { try reader.skip(tag) }
    }
}

package struct TxnResponseSummary: WireFields, Hashable, Sendable {
    package var header = ResponseHeader()
    package var succeeded = false
    package var responseCount = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): try header.read(try reader.bytes())
        case Tag.varint(2): succeeded = try reader.bool()
        case Tag.bytes(3):
            _ = try reader.bytes()
            responseCount += 1
        default: try reader.skip(tag)
        }
    }
}

/// LeaseGrant, LeaseKeepAlive and the first fields of LeaseTimeToLive.
package struct LeaseResponseSummary: WireFields, Hashable, Sendable {
    package var id = LeaseID.none
    package var ttlSeconds: Int64 = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): id = LeaseID(rawValue: try reader.int64())
        case Tag.varint(3): ttlSeconds = try reader.int64()
        default: try reader.skip(tag)
        }
    }
}

package struct StatusResponseSummary: WireFields, Hashable, Sendable {
    package var header = ResponseHeader()
    package var version = ""
    package var dbSize: Int64 = 0
    package var leader: UInt64 = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): try header.read(try reader.bytes())
        case Tag.bytes(2): version = try reader.string()
        case Tag.varint(3): dbSize = try reader.int64()
        case Tag.varint(4): leader = try reader.varint()
        default: try reader.skip(tag)
        }
    }
}
