package struct MemberListRequest: WireFields, WireMessage, Hashable, Sendable {
    package var linearizable = false

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.varint(1) { linearizable = try reader.bool() } else { try reader.skip(tag) }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, linearizable) }
    package func encode(to writer: inout ProtobufWriter) { writer.field(1, linearizable) }
}

package struct MemberAddRequest: WireFields, Hashable, Sendable {
    package var peerURLs: [String] = []
    package var isLearner = false

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.bytes(1): peerURLs.append(try reader.string())
        case Tag.varint(2): isLearner = try reader.bool()
        default: try reader.skip(tag)
        }
    }
}

/// MemberUpdate names a member and its new URLs. MemberReplace, which etcd does not have, names a member that goes and the
/// URLs of the one that comes.
package struct MemberURLsRequest: WireFields, WireMessage, Hashable, Sendable {
    package var id: UInt64 = 0
    package var peerURLs: [String] = []

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): id = try reader.varint()
        case Tag.bytes(2): peerURLs.append(try reader.string())
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, id) + ProtobufWriter.size(2, elements: peerURLs) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, id)
        writer.elements(2, peerURLs)
    }
}

package typealias MemberUpdateRequest = MemberURLsRequest
package typealias MemberReplaceRequest = MemberURLsRequest

/// MemberRemove and MemberPromote name a member.
package struct MemberIDRequest: WireFields, Hashable, Sendable {
    package var id: UInt64 = 0

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.varint(1) { id = try reader.varint() } else { try reader.skip(tag) }
    }
}

package typealias MemberRemoveRequest = MemberIDRequest
package typealias MemberPromoteRequest = MemberIDRequest

/// A member as clients see it.
package struct ClusterMember: Hashable, Sendable {
    package var id: UInt64
    /// Empty until the member has started and published itself.
    package var name: String
    package var peerURLs: [String]
    package var clientURLs: [String]
    package var isLearner: Bool

    package init(
        id: UInt64, name: String, peerURLs: [String] = [], clientURLs: [String] = [], isLearner: Bool = false
    ) {
        self.id = id
        self.name = name
        self.peerURLs = peerURLs
        self.clientURLs = clientURLs
        self.isLearner = isLearner
    }

    private var size: Int {
        ProtobufWriter.size(1, id) + ProtobufWriter.size(2, name) + ProtobufWriter.size(3, elements: peerURLs)
            + ProtobufWriter.size(4, elements: clientURLs) + ProtobufWriter.size(5, isLearner)
    }

    func fieldSize(_ field: UInt32) -> Int { ProtobufWriter.size(field, bytes: size) }

    func encode(field: UInt32, to writer: inout ProtobufWriter) {
        writer.prefix(field, bytes: size)
        writer.field(1, id)
        writer.field(2, name)
        writer.elements(3, peerURLs)
        writer.elements(4, clientURLs)
        writer.field(5, isLearner)
    }
}

extension ClusterMember: WireFields {
    init() { self.init(id: 0, name: "") }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): id = try reader.varint()
        case Tag.bytes(2): name = try reader.string()
        case Tag.bytes(3): peerURLs.append(try reader.string())
        case Tag.bytes(4): clientURLs.append(try reader.string())
        case Tag.varint(5): isLearner = try reader.bool()
        default: try reader.skip(tag)
        }
    }
}

/// The answer to MemberList, MemberRemove, MemberUpdate and MemberPromote.
package struct MemberListResponse: ResponseBody, Hashable, Sendable {
    package var members: [ClusterMember]

    package init(members: [ClusterMember]) {
        self.members = members
    }

    package var fieldsSize: Int { members.reduce(0) { $0 + $1.fieldSize(2) } }

    package func encodeFields(to writer: inout ProtobufWriter) {
        for member in members { member.encode(field: 2, to: &writer) }
    }
}

package struct MemberAddResponse: ResponseBody, Hashable, Sendable {
    package var member: ClusterMember
    package var members: [ClusterMember]

    package init(member: ClusterMember, members: [ClusterMember]) {
        self.member = member
        self.members = members
    }

    package var fieldsSize: Int { members.reduce(member.fieldSize(2)) { $0 + $1.fieldSize(3) } }

    package func encodeFields(to writer: inout ProtobufWriter) {
        member.encode(field: 2, to: &writer)
        for member in members { member.encode(field: 3, to: &writer) }
    }
}
