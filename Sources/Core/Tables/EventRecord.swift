/// One change of a key, as a value.
package struct EventRecord: Hashable, Sendable {
    package var header: EventHeader
    package var key: [UInt8]
    package var value: [UInt8]

    package init(header: EventHeader, key: [UInt8], value: [UInt8]) {
        var described = header
        key.withUnsafeBytes { key in value.withUnsafeBytes { described.describe(key: key, value: $0) } }
        self.header = described
        self.key = key
        self.value = value
    }

    package init(_ view: EventView) {
        header = view.header
        key = [UInt8](view.key)
        value = [UInt8](view.value)
    }
}

/// One change of a key in borrowed memory: the map, or a buffer when the record is stored in several rows.
///
/// The checksums were checked. Good for as long as whoever lent it says.
package struct EventView {
    package let header: EventHeader
    package let key: UnsafeRawBufferPointer
    package let value: UnsafeRawBufferPointer
}
