package import StrakeModel

/// Why bytes did not become a request.
package enum WireError: Error, Hashable, Sendable {
    /// Not a protobuf message of this type.
    case malformed(ProtobufError)
    /// A message with a value that the store's types cannot hold, refused as etcd refuses it.
    case refused(StoreError)

    package var status: EtcdStatus {
        switch self {
        case .malformed: EtcdStatus(code: .internal, message: EtcdStatus.malformedRequest)
        case .refused(let error): EtcdStatus(error)
        }
    }
}

/// A message that requests of clients are read from, field by field.
///
/// `read` sees every field and may see a singular one again, which then replaces or, for a nested message, adds to what
/// the first one said: protobuf's rule for messages put together from pieces.
protocol WireFields {
    init()
    mutating func read(_ tag: UInt32, from reader: inout ProtobufReader) throws(ProtobufError)
}

extension WireFields {
    init(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
        self.init()
        try read(bytes)
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while true {
            let tag = try reader.nextTag()
            if tag == 0 { return }
            try read(tag, from: &reader)
        }
    }
}

extension WireFields {
    /// The fields of a request that is refused for nothing but being malformed.
    init(request bytes: UnsafeRawBufferPointer) throws(WireError) {
        do throws(ProtobufError) {
            try self.init(bytes)
        } catch {
            throw .malformed(error)
        }
    }
}
