package import StrakeModel

/// An event without its bytes, to be encoded from where they lie. The key before the event is the event's own key.
package struct EventFields: Hashable, Sendable {
    package var kind: Event.Kind
    /// For a delete only the key's length and the mod revision are set.
    package var keyValue: KeyValueFields
    package var previous: KeyValueFields?

    @inlinable
    package init(kind: Event.Kind, keyValue: KeyValueFields, previous: KeyValueFields? = nil) {
        self.kind = kind
        self.keyValue = keyValue
        self.previous = previous
    }

    private var size: Int {
        ProtobufWriter.size(1, UInt64(kind.rawValue)) + ProtobufWriter.size(2, bytes: keyValue.size)
            + (previous.map { ProtobufWriter.size(3, bytes: $0.size) } ?? 0)
    }

    /// As an element of `WatchResponse.events`, tag and length included.
    package var watchFieldSize: Int { ProtobufWriter.size(11, bytes: size) }

    package func encodeWatchField(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, previousValue: UnsafeRawBufferPointer,
        to writer: inout ProtobufWriter
    ) {
        writer.prefix(11, bytes: size)
        writer.field(1, UInt64(kind.rawValue))
        keyValue.encodePrefix(field: 2, key: key, to: &writer)
        writer.raw(value)
        keyValue.encodeSuffix(to: &writer)
        guard let previous else { return }
        previous.encodePrefix(field: 3, key: key, to: &writer)
        writer.raw(previousValue)
        previous.encodeSuffix(to: &writer)
    }
}
