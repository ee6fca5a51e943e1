/// A request without fields: Status, Defragment, Hash, LeaseLeases, Snapshot.
package struct EmptyRequest: WireFields, WireMessage, Hashable, Sendable {
    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        try reader.skip(tag)
    }

    package var encodedSize: Int { 0 }
    package func encode(to writer: inout ProtobufWriter) {}
}

package struct AlarmRequest: Hashable, Sendable {
    /// 0 get, 1 activate, 2 deactivate. Any number may come.
    package var action: Int32 = 0
    package var memberID: UInt64 = 0
    /// 0 none, 1 NOSPACE, 2 CORRUPT. Any number may come, and etcd keeps it.
    package var alarm: Int32 = 0

    package init(action: Int32 = 0, memberID: UInt64 = 0, alarm: Int32 = 0) {
        self.action = action
        self.memberID = memberID
        self.alarm = alarm
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension AlarmRequest: WireFields, WireMessage {
    init() { self.init(action: 0) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): action = try reader.int32()
        case Tag.varint(2): memberID = try reader.varint()
        case Tag.varint(3): alarm = try reader.int32()
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int {
        ProtobufWriter.size(1, Int64(action)) + ProtobufWriter.size(2, memberID) + ProtobufWriter.size(3, Int64(alarm))
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, Int64(action))
        writer.field(2, memberID)
        writer.field(3, Int64(alarm))
    }
}

package struct AlarmResponse: ResponseBody, Hashable, Sendable {
    package struct Alarm: Hashable, Sendable {
        package var memberID: UInt64
        package var alarm: Int32

        package init(memberID: UInt64, alarm: Int32) {
            self.memberID = memberID
            self.alarm = alarm
        }

        fileprivate var size: Int { ProtobufWriter.size(1, memberID) + ProtobufWriter.size(2, Int64(alarm)) }
    }

    package var alarms: [Alarm]

    package init(alarms: [Alarm] = []) {
        self.alarms = alarms
    }

    package var fieldsSize: Int { alarms.reduce(0) { $0 + ProtobufWriter.size(2, bytes: $1.size) } }

    package func encodeFields(to writer: inout ProtobufWriter) {
        for alarm in alarms {
            writer.prefix(2, bytes: alarm.size)
            writer.field(1, alarm.memberID)
            writer.field(2, Int64(alarm.alarm))
        }
    }
}

package struct HashKVRequest: WireFields, WireMessage, Hashable, Sendable {
    /// Zero: the newest.
    package var revision: Int64 = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.varint(1) { revision = try reader.int64() } else { try reader.skip(tag) }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, revision) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, revision) }
}

package struct HashResponse: ResponseBody, Hashable, Sendable {
    package var hash: UInt32

    package init(hash: UInt32) {
        self.hash = hash
    }

    package var fieldsSize: Int { ProtobufWriter.size(2, UInt64(hash)) }
    package func encodeFields(to writer: inout ProtobufWriter) { writer.field(2, UInt64(hash)) }
}

package struct HashKVResponse: ResponseBody, Hashable, Sendable {
    package var hash: UInt32
    package var compactRevision: Int64
    package var hashRevision: Int64

    package init(hash: UInt32, compactRevision: Int64, hashRevision: Int64) {
        self.hash = hash
        self.compactRevision = compactRevision
        self.hashRevision = hashRevision
    }

    package var fieldsSize: Int {
        ProtobufWriter.size(2, UInt64(hash)) + ProtobufWriter.size(3, compactRevision)
            + ProtobufWriter.size(4, hashRevision)
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, UInt64(hash))
        writer.field(3, compactRevision)
        writer.field(4, hashRevision)
    }
}

/// MoveLeader's wish.
package struct MoveLeaderRequest: WireFields, WireMessage, Hashable, Sendable {
    package var targetID: UInt64 = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.varint(1) { targetID = try reader.varint() } else { try reader.skip(tag) }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, targetID) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, targetID) }
}

/// One message of a Snapshot stream. It has no header (etcd's behaviour).
package struct SnapshotResponse: WireMessage, Hashable, Sendable {
    /// Bytes of the file that are still to come.
    package var remainingBytes: UInt64 = 0
    package var blob: [UInt8] = []
    /// Which etcd the file is for: that version, or a later one.
    package var version = ""

    package init() {}

    package var encodedSize: Int {
        ProtobufWriter.size(2, remainingBytes) + ProtobufWriter.size(3, blob) + ProtobufWriter.size(4, version)
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(2, remainingBytes)
        writer.field(3, blob)
        writer.field(4, version)
    }
}

extension SnapshotResponse: WireFields {
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): remainingBytes = try reader.varint()
        case Tag.bytes(3): blob = Array(try reader.bytes())
        case Tag.bytes(4): version = try reader.string()
        default: try reader.skip(tag)
        }
    }
}
