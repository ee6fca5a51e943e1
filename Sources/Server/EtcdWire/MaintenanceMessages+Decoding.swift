internal import StrakeModel

// The client's side: what Cluster, Maintenance, Lock and Election answer, as it is read.

extension MemberListResponse: WireFields, ReadableResponse {
    init() { self.init(members: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) {
            members.append(try ClusterMember(try reader.bytes()))
        } else {
            try reader.skip(tag)
        }
    }
}

extension MemberAddResponse: WireFields, ReadableResponse {
    init() { self.init(member: ClusterMember(), members: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(2): member = try ClusterMember(try reader.bytes())
        case Tag.bytes(3): members.append(try ClusterMember(try reader.bytes()))
        default: try reader.skip(tag)
        }
    }
}

extension AlarmResponse: WireFields, ReadableResponse {
    init() { self.init(alarms: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        guard tag == Tag.bytes(2) else { return try reader.skip(tag) }
        let alarm = try StoredAlarm(try reader.bytes())
        alarms.append(Alarm(memberID: alarm.memberID, alarm: alarm.alarm))
    }
}

extension HashKVResponse: WireFields, ReadableResponse {
    init() { self.init(hash: 0, compactRevision: 0, hashRevision: 0) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): hash = UInt32(truncatingIfNeeded: try reader.varint())
        case Tag.varint(3): compactRevision = try reader.int64()
        case Tag.varint(4): hashRevision = try reader.int64()
        default: try reader.skip(tag)
        }
    }
}

extension StatusResponse: WireFields, ReadableResponse {
    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(2): version = try reader.string()
        case Tag.varint(3): dbSize = try reader.int64()
        case Tag.varint(4): leader = try reader.varint()
        case Tag.varint(5): raftIndex = try reader.varint()
        case Tag.varint(6): raftTerm = try reader.varint()
        case Tag.varint(7): raftAppliedIndex = try reader.varint()
        case Tag.bytes(8): errors.append(try reader.string())
        case Tag.varint(9): dbSizeInUse = try reader.int64()
        case Tag.varint(10): isLearner = try reader.bool()
        case Tag.bytes(11): storageVersion = try reader.string()
        case Tag.varint(12): dbSizeQuota = try reader.int64()
        default: try reader.skip(tag)
        }
    }
}

extension LockResponse: WireFields, ReadableResponse {
    init() { self.init(key: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { key = Array(try reader.bytes()) } else { try reader.skip(tag) }
    }
}

extension CampaignResponse: WireFields, ReadableResponse {
    init() { self.init(leader: LeaderKey()) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { try leader.read(try reader.bytes()) } else { try reader.skip(tag) }
    }
}

extension LeaderResponse: WireFields, ReadableResponse {
    init() { self.init(keyValue: KeyValue(key: [])) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { keyValue = try KeyValue(try reader.bytes()) } else { try reader.skip(tag) }
    }
}

extension EmptyResponse: WireFields, ReadableResponse {
    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        try reader.skip(tag)
    }
}
