// strake.Cluster/MemberReplace, which etcd does not have:
//
//     message MemberReplaceRequest {
//       uint64 ID = 1;                // the member that goes
//       repeated string peerURLs = 2; // of the one that comes
//     }
//     message MemberReplaceResponse {
//       etcdserverpb.ResponseHeader header = 1;
//       State state = 2;
//       uint64 newID = 3;
//       uint64 matched = 4;           // CATCHING_UP: entries that the new member has, of `last`
//       uint64 last = 5;
//       bool inTouch = 7;             // it has started
//       repeated etcdserverpb.Member members = 6;
//     }
//     enum State { ADDED = 0; CATCHING_UP = 1; CHANGING = 2; DONE = 3; }

package struct MemberReplaceResponse: ResponseBody, Hashable, Sendable {
    package enum State: UInt64, Sendable {
        case added = 0
        case catchingUp = 1
        case changing = 2
        case done = 3
    }

    package var state = State.added
    package var newID: UInt64 = 0
    package var matched: UInt64 = 0
    package var last: UInt64 = 0
    package var isInTouch = false
    package var members: [ClusterMember] = []

    package init() {}
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) { try self.init(bytes) }

    package var fieldsSize: Int {
        let numbers =
            ProtobufWriter.size(2, state.rawValue) + ProtobufWriter.size(3, newID)
            + ProtobufWriter.size(4, matched) + ProtobufWriter.size(5, last)
        return members.reduce(numbers + ProtobufWriter.size(7, isInTouch)) { $0 + $1.fieldSize(6) }
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, state.rawValue)
        writer.field(3, newID)
        writer.field(4, matched)
        writer.field(5, last)
        for member in members { member.encode(field: 6, to: &writer) }
        writer.field(7, isInTouch)
    }
}

extension MemberReplaceResponse: WireFields, ReadableResponse {
    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        // A state of a later version: it goes on, so it is asked for again.
        case Tag.varint(2): state = State(rawValue: try reader.varint()) ?? .changing
        case Tag.varint(3): newID = try reader.varint()
        case Tag.varint(4): matched = try reader.varint()
        case Tag.varint(5): last = try reader.varint()
        case Tag.varint(7): isInTouch = try reader.bool()
        case Tag.bytes(6): members.append(try ClusterMember(try reader.bytes()))
        default: try reader.skip(tag)
        }
    }
}
