package import StrakeModel

/// The message `mvccpb.KeyValue`.
extension KeyValueFields {
    init(_ keyValue: KeyValue) {
        self.init(
            keyCount: keyValue.key.count, valueCount: keyValue.value.count, createRevision: keyValue.createRevision,
            modRevision: keyValue.modRevision, version: keyValue.version, lease: keyValue.lease)
    }

    /// The message itself, without tag and length.
    var size: Int {
        (keyCount == 0 ? 0 : ProtobufWriter.size(1, bytes: keyCount))
            + ProtobufWriter.size(2, createRevision) + ProtobufWriter.size(3, modRevision)
            + ProtobufWriter.size(4, version)
            + (valueCount == 0 ? 0 : ProtobufWriter.size(5, bytes: valueCount))
            + ProtobufWriter.size(6, lease.rawValue)
    }

    /// Of the message by itself, as etcd stores it.
    package var messageSize: Int { size }

    /// The message by itself.
    package func encodedMessage(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> [UInt8] {
        let size = size
        return [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            var writer = ProtobufWriter(UnsafeMutableRawBufferPointer(memory))
            encodeFields(key: key, to: &writer)
            if valueCount != 0 { writer.raw(value) }
            encodeSuffix(to: &writer)
            precondition(writer.isFull, "a message is shorter than its encoded size of \(size) bytes")
            count = size
        }
    }

    /// As an element of `RangeResponse.kvs`, tag and length included.
    package var rangeFieldSize: Int { ProtobufWriter.size(2, bytes: size) }

    package func encodeRangeField(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, to writer: inout ProtobufWriter
    ) {
        encodeRangeFieldPrefix(key: key, to: &writer)
        writer.raw(value)
        encodeSuffix(to: &writer)
    }

    /// Everything before the value's bytes. The caller writes these, in as many pieces as it has them, and then the
    /// suffix.
    package func encodeRangeFieldPrefix(key: UnsafeRawBufferPointer, to writer: inout ProtobufWriter) {
        encodePrefix(field: 2, key: key, to: &writer)
    }

    package func encodeSuffix(to writer: inout ProtobufWriter) {
        writer.field(6, lease.rawValue)
    }

    func encodePrefix(field: UInt32, key: UnsafeRawBufferPointer, to writer: inout ProtobufWriter) {
        writer.prefix(field, bytes: size)
        encodeFields(key: key, to: &writer)
    }

    /// What stands in front of the value's bytes.
    private func encodeFields(key: UnsafeRawBufferPointer, to writer: inout ProtobufWriter) {
        if keyCount != 0 { writer.element(1, key) }
        writer.field(2, createRevision)
        writer.field(3, modRevision)
        writer.field(4, version)
        if valueCount != 0 { writer.prefix(5, bytes: valueCount) }
    }
}

extension KeyValue {
    func fieldSize(_ field: UInt32) -> Int { ProtobufWriter.size(field, bytes: KeyValueFields(self).size) }

    func encode(field: UInt32, to writer: inout ProtobufWriter) {
        let fields = KeyValueFields(self)
        key.withUnsafeBytes { fields.encodePrefix(field: field, key: $0, to: &writer) }
        writer.raw(value)
        fields.encodeSuffix(to: &writer)
    }
}
