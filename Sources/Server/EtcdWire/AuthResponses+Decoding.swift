internal import StrakeModel

// The client's side: answers of the auth service as they are read.

extension AuthenticateResponse: ReadableResponse {
    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }
}

extension AuthStatusResponse: WireFields, ReadableResponse {
    init() { self.init(isEnabled: false, authRevision: 0) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        switch tag {
        case Tag.varint(2): isEnabled = try reader.bool()
        case Tag.varint(3): authRevision = UInt64(bitPattern: try reader.int64())
        default: try reader.skip(tag)
        }
    }
}

extension AuthNamesResponse: WireFields, ReadableResponse {
    init() { self.init(names: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { names.append(AuthName(try reader.string())) } else { try reader.skip(tag) }
    }
}

extension AuthRoleGetResponse: WireFields, ReadableResponse {
    init() { self.init(permissions: []) }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { permissions.append(try Permission(try reader.bytes())) } else { try reader.skip(tag) }
    }
}

extension DowngradeResponse: WireFields, ReadableResponse {
    init() { self.init(version: "") }

    package static func response(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) -> Response<Self> {
        try ResponseFields<Self>.response(bytes)
    }

    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError) {
        if tag == Tag.bytes(2) { version = try reader.string() } else { try reader.skip(tag) }
    }
}
