package import StrakeModel

// Messages that etcd puts into its write-ahead log. What they say of bytes is in place: good while those are that were read.

/// `walpb.Record`.
package struct WALRecord: WireFields {
    package var kind: Int64 = 0
    package var checksum: UInt32 = 0
    package var data = UnsafeRawBufferPointer(start: nil, count: 0)

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): kind = try reader.int64()
        case Tag.varint(2): checksum = UInt32(truncatingIfNeeded: try reader.varint())
        case Tag.bytes(3): data = try reader.bytes()
        default: try reader.skip(tag)
        }
    }
}

/// `raftpb.Entry`.
package struct WALEntry: WireFields {
    /// Zero: a request. All others change who is a member.
    package var kind: Int32 = 0
    package var term: UInt64 = 0
    package var index: UInt64 = 0
    package var data = UnsafeRawBufferPointer(start: nil, count: 0)

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): kind = try reader.int32()
        case Tag.varint(2): term = try reader.varint()
        case Tag.varint(3): index = try reader.varint()
        case Tag.bytes(4): data = try reader.bytes()
        default: try reader.skip(tag)
        }
    }
}

/// `etcdserverpb.Metadata`: whose log it is.
package struct WALMetadata: WireFields {
    package var member: UInt64 = 0
    package var cluster: UInt64 = 0

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): member = try reader.varint()
        case Tag.varint(2): cluster = try reader.varint()
        default: try reader.skip(tag)
        }
    }
}

/// `raftpb.ConfChange`: the data of an entry of kind 1.
package struct WALConfigurationChange: WireFields {
    /// 0: a voter comes, or a learner becomes one. 1: a member goes. 2: its URLs change. 3: a learner comes.
    package var kind: Int32 = 0
    package var member: UInt64 = 0
    /// The member in JSON.
    package var context = UnsafeRawBufferPointer(start: nil, count: 0)

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): kind = try reader.int32()
        case Tag.varint(3): member = try reader.varint()
        case Tag.bytes(4): context = try reader.bytes()
        default: try reader.skip(tag)
        }
    }
}

/// `raftpb.HardState`, as far as it matters here.
package struct WALState: WireFields {
    package var term: UInt64 = 0
    package var committed: UInt64 = 0

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): term = try reader.varint()
        case Tag.varint(3): committed = try reader.varint()
        default: try reader.skip(tag)
        }
    }
}

/// `walpb.Snapshot`, as far as it matters here.
package struct WALSnapshot: WireFields {
    package var index: UInt64 = 0

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): index = try reader.varint()
        default: try reader.skip(tag)
        }
    }
}

/// `etcdserverpb.InternalRaftRequest`: one request among many fields, each a message with a number of its own.
package struct InternalRequest: WireFields {
    private static let header: UInt32 = 100

    package var requests: [(field: UInt32, bytes: UnsafeRawBufferPointer)] = []
    private var asker = AskerFields()

    init() {}

    /// Who asked; nil where authentication was not enabled, and for what a member asks of its own accord.
    package var identity: RequestIdentity? {
        asker.user.isEmpty ? nil : RequestIdentity(user: asker.user, authRevision: asker.authRevision)
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        let field = tag >> 3
        if tag == Tag.bytes(Self.header) {
            asker = try AskerFields(reader.bytes())
        } else if tag == Tag.bytes(field) {
            requests.append((field, try reader.bytes()))
        } else {
            try reader.skip(tag)
        }
    }
}

/// Of `etcdserverpb.RequestHeader` what says who asked.
private struct AskerFields: WireFields {
    var user = AuthName("")
    var authRevision: UInt64 = 0

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(2): user = AuthName(utf8: Array(try reader.bytes()))
        case Tag.varint(3): authRevision = try reader.varint()
        default: try reader.skip(tag)
        }
    }
}

/// `etcdserverpb.Request`: of the API before this one, which members still use among themselves up to etcd 3.5.
package struct OldRequest: WireFields {
    package var method = ""
    package var path = ""
    package var value = UnsafeRawBufferPointer(start: nil, count: 0)

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(2): method = try reader.string()
        case Tag.bytes(3): path = try reader.string()
        case Tag.bytes(4): value = try reader.bytes()
        default: try reader.skip(tag)
        }
    }
}

/// `membershippb.ClusterMemberAttrSetRequest`: what a member tells of itself.
package struct StoredMemberAttributes: WireFields {
    package var member: UInt64 = 0
    package var name = ""
    package var clientURLs: [String] = []

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): member = try reader.varint()
        case Tag.bytes(2):
            let fields = try AttributeFields(reader.bytes())
            (name, clientURLs) = (fields.name, fields.clientURLs)
        default: try reader.skip(tag)
        }
    }
}

/// `membershippb.Attributes`.
private struct AttributeFields: WireFields {
    var name = ""
    var clientURLs: [String] = []

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): name = try reader.string()
        case Tag.bytes(2): clientURLs.append(try reader.string())
        default: try reader.skip(tag)
        }
    }
}

/// `etcdserverpb.LeaseCheckpointRequest`, and the checkpoints in it.
package struct StoredLeaseCheckpoints: WireFields {
    package var checkpoints: [StoredLeaseCheckpoint] = []

    init() {}

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): checkpoints.append(try StoredLeaseCheckpoint(try reader.bytes()))
        default: try reader.skip(tag)
        }
    }
}

package struct StoredLeaseCheckpoint: WireFields {
    package var id: Int64 = 0
    package var remainingSeconds: Int64 = 0

    init() {}

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): id = try reader.int64()
        case Tag.varint(2): remainingSeconds = try reader.int64()
        default: try reader.skip(tag)
        }
    }
}
