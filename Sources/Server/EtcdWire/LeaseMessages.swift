package import StrakeModel

package struct LeaseGrantRequest: Hashable, Sendable {
    package var ttlSeconds: Int64 = 0
    /// None: the server chooses.
    package var id = LeaseID.none

    package init(ttlSeconds: Int64 = 0, id: LeaseID = .none) {
        self.ttlSeconds = ttlSeconds
        self.id = id
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

extension LeaseGrantRequest: WireFields, WireMessage {
    init() { self.init(ttlSeconds: 0) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): ttlSeconds = try reader.int64()
        case Tag.varint(2): id = LeaseID(rawValue: try reader.int64())
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, ttlSeconds) + ProtobufWriter.size(2, id.rawValue) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, ttlSeconds)
        writer.field(2, id.rawValue)
    }
}

/// LeaseRevoke, LeaseKeepAlive and LeaseTimeToLive all name a lease; `keys` is LeaseTimeToLive's alone.
package struct LeaseRequest: Hashable, Sendable {
    package var id = LeaseID.none
    /// The keys that hang on it are wanted too.
    package var keys = false

    package init(id: LeaseID = .none, keys: Bool = false) {
        self.id = id
        self.keys = keys
    }

    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) { try self.init(request: bytes) }
}

package typealias LeaseRevokeRequest = LeaseRequest
package typealias LeaseKeepAliveRequest = LeaseRequest
package typealias LeaseTimeToLiveRequest = LeaseRequest

extension LeaseRequest: WireFields, WireMessage {
    init() { self.init(id: .none) }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(1): id = LeaseID(rawValue: try reader.int64())
        case Tag.varint(2): keys = try reader.bool()
        default: try reader.skip(tag)
        }
    }

    package var encodedSize: Int { ProtobufWriter.size(1, id.rawValue) + ProtobufWriter.size(2, keys) }

    package func encode(to writer: inout ProtobufWriter) {
        writer.field(1, id.rawValue)
        writer.field(2, keys)
    }
}

/// The answer to LeaseGrant and LeaseKeepAlive. A time to live of zero to a keep-alive: there is no such lease.
package struct LeaseGrantResponse: ResponseBody, Hashable, Sendable {
    package var id: LeaseID
    package var ttlSeconds: Int64

    package init(id: LeaseID, ttlSeconds: Int64) {
        self.id = id
        self.ttlSeconds = ttlSeconds
    }

    package var fieldsSize: Int { ProtobufWriter.size(2, id.rawValue) + ProtobufWriter.size(3, ttlSeconds) }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, id.rawValue)
        writer.field(3, ttlSeconds)
    }
}

package typealias LeaseKeepAliveResponse = LeaseGrantResponse

package struct LeaseTimeToLiveResponse: ResponseBody, Hashable, Sendable {
    package var id: LeaseID
    /// What is left; -1: there is no such lease.
    package var ttlSeconds: Int64
    package var grantedSeconds: Int64
    package var keys: [[UInt8]]

    package init(id: LeaseID, ttlSeconds: Int64, grantedSeconds: Int64 = 0, keys: [[UInt8]] = []) {
        self.id = id
        self.ttlSeconds = ttlSeconds
        self.grantedSeconds = grantedSeconds
        self.keys = keys
    }

    package var fieldsSize: Int {
        keys.reduce(
            ProtobufWriter.size(2, id.rawValue) + ProtobufWriter.size(3, ttlSeconds)
                + ProtobufWriter.size(4, grantedSeconds)
        ) { $0 + ProtobufWriter.size(5, bytes: $1.count) }
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, id.rawValue)
        writer.field(3, ttlSeconds)
        writer.field(4, grantedSeconds)
        for key in keys { writer.element(5, key) }
    }
}

package struct LeaseLeasesResponse: ResponseBody, Hashable, Sendable {
    package var leases: [LeaseID]

    package init(leases: [LeaseID]) {
        self.leases = leases
    }

    package var fieldsSize: Int {
        leases.reduce(0) { $0 + ProtobufWriter.size(2, bytes: ProtobufWriter.size(1, $1.rawValue)) }
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        for lease in leases {
            writer.prefix(2, bytes: ProtobufWriter.size(1, lease.rawValue))
            writer.field(1, lease.rawValue)
        }
    }
}
