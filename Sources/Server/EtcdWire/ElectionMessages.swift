package import StrakeModel

// v3lockpb.Lock and v3electionpb.Election.

package struct LockRequest: WireFields, Hashable, Sendable {
    package var name: [UInt8] = []
    package var lease = LeaseID.none

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = [UInt8](try reader.bytes())
        case Tag.varint(2): lease = LeaseID(rawValue: try reader.int64())
        default: try reader.skip(tag)
        }
    }
}

package struct LockResponse: ResponseBody, Hashable, Sendable {
    package var key: [UInt8]

    package init(key: [UInt8]) {
        self.key = key
    }

    package var fieldsSize: Int { ProtobufWriter.size(2, key) }
    package func encodeFields(to writer: inout ProtobufWriter) { writer.field(2, key) }
}

package struct UnlockRequest: WireFields, Hashable, Sendable {
    package var key: [UInt8] = []

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(1) { key = [UInt8](try reader.bytes()) } else { try reader.skip(tag) }
    }
}

/// What a leader has won: its key under the election's name, the key's create revision, and the lease it hangs on.
package struct LeaderKey: WireFields, Hashable, Sendable {
    package var name: [UInt8] = []
    package var key: [UInt8] = []
    package var revision: Int64 = 0
    package var lease = LeaseID.none

    package init() {}
    package init(name: [UInt8], key: [UInt8], revision: Int64, lease: LeaseID) {
        self.name = name
        self.key = key
        self.revision = revision
        self.lease = lease
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = [UInt8](try reader.bytes())
        case Tag.bytes(2): key = [UInt8](try reader.bytes())
        case Tag.varint(3): revision = try reader.int64()
        case Tag.varint(4): lease = LeaseID(rawValue: try reader.int64())
        default: try reader.skip(tag)
        }
    }

    var size: Int {
        ProtobufWriter.size(1, name) + ProtobufWriter.size(2, key) + ProtobufWriter.size(3, revision)
            + ProtobufWriter.size(4, lease.rawValue)
    }

    func encode(to writer: inout ProtobufWriter) {
        writer.field(1, name)
        writer.field(2, key)
        writer.field(3, revision)
        writer.field(4, lease.rawValue)
    }
}

package struct CampaignRequest: WireFields, Hashable, Sendable {
    package var name: [UInt8] = []
    package var lease = LeaseID.none
    package var value: [UInt8] = []

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = [UInt8](try reader.bytes())
        case Tag.varint(2): lease = LeaseID(rawValue: try reader.int64())
        case Tag.bytes(3): value = [UInt8](try reader.bytes())
        default: try reader.skip(tag)
        }
    }
}

package struct CampaignResponse: ResponseBody, Hashable, Sendable {
    package var leader: LeaderKey

    package init(leader: LeaderKey) {
        self.leader = leader
    }

    package var fieldsSize: Int { ProtobufWriter.size(2, bytes: leader.size) }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.prefix(2, bytes: leader.size)
        leader.encode(to: &writer)
    }
}

/// Leader and Observe name an election.
package struct ElectionRequest: WireFields, Hashable, Sendable {
    package var name: [UInt8] = []

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(1) { name = [UInt8](try reader.bytes()) } else { try reader.skip(tag) }
    }
}

package struct LeaderResponse: ResponseBody, Hashable, Sendable {
    package var keyValue: KeyValue

    package init(keyValue: KeyValue) {
        self.keyValue = keyValue
    }

    package var fieldsSize: Int { keyValue.fieldSize(2) }
    package func encodeFields(to writer: inout ProtobufWriter) { keyValue.encode(field: 2, to: &writer) }
}

/// Proclaim, and Resign, which has no value.
package struct LeaderKeyRequest: WireFields, Hashable, Sendable {
    package var leader: LeaderKey?
    package var value: [UInt8] = []

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1):
            var leader = leader ?? LeaderKey()
            try leader.read(try reader.bytes())
            self.leader = leader
        case Tag.bytes(2): value = [UInt8](try reader.bytes())
        default: try reader.skip(tag)
        }
    }
}
