package import StrakeModel

// Messages that etcd puts into its database.

/// `leasepb.Lease`.
package struct StoredLease: WireFields, WireMessage, Hashable, Sendable {
    package var id = LeaseID.none
    package var ttl: Int64 = 0
    /// Zero: not written down.
    package var remaining: Int64 = 0

    package init() {}

    package init(id: LeaseID, ttl: Int64, remaining: Int64) {
        self.id = id
        self.ttl = ttl
        self.remaining = remaining
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): id = LeaseID(rawValue: try reader.int64())
        case Tag.varint(2): ttl = try reader.int64()
        case Tag.varint(3): remaining = try reader.int64()
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int {
        ProtobufWriter.size(1, id.rawValue) + ProtobufWriter.size(2, ttl) + ProtobufWriter.size(3, remaining)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, id.rawValue)
        writer.field(2, ttl)
        writer.field(3, remaining)
    }
}

/// `etcdserverpb.AlarmMember`.
package struct StoredAlarm: WireFields, WireMessage, Hashable, Sendable {
    package var memberID: UInt64 = 0
    package var alarm: Int32 = 0

    package init() {}

    package init(memberID: UInt64, alarm: Int32) {
        self.memberID = memberID
        self.alarm = alarm
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): memberID = try reader.varint()
        case Tag.varint(2): alarm = try reader.int32()
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, memberID) + ProtobufWriter.size(2, Int64(alarm)) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, memberID)
        writer.field(2, Int64(alarm))
    }
}

/// `mvccpb.KeyValue` by itself.
package struct StoredKeyValue: WireFields, Hashable, Sendable {
    package var keyValue = KeyValue(key: [])

    package init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        try keyValue.read(tag, from: &reader)
    }
}
