/// A leaf page that is being filled.
struct LeafDraft {
    private struct Element {
        var flags: UInt32
        var keyCount: Int
        var valueCount: Int
    }

    private(set) var firstKey: [UInt8] = []
    private(set) var lastKey: [UInt8] = []
    private var elements: [Element] = []
    /// Keys and values, one after the other. Empty where the page is only counted.
    private var bytes: [UInt8] = []
    /// Of the page: its header, the elements, keys and values.
    private(set) var size = BoltFormat.pageHeaderBytes

    var isEmpty: Bool { elements.isEmpty }

    static func entryBytes(keyCount: Int, valueCount: Int) -> Int { BoltFormat.elementBytes + keyCount + valueCount }

    /// - Parameter value: Nil where the page is only counted.
    mutating func add(_ key: [UInt8], valueCount: Int, value: UnsafeRawBufferPointer?, flags: UInt32) {
        if elements.isEmpty { firstKey = key }
        lastKey = key
        elements.append(Element(flags: flags, keyCount: key.count, valueCount: valueCount))
        size += Self.entryBytes(keyCount: key.count, valueCount: valueCount)
        guard let value else { return }
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: value)
    }

    /// Appends the page, without what pads it.
    func encode(id: UInt64, to out: inout [UInt8]) {
        out.append(littleEndian: id)
        out.append(littleEndian: BoltFormat.PageKind.leaf.rawValue)
        out.append(littleEndian: UInt16(elements.count))
        out.append(littleEndian: PageOutput.furtherPages(size))
        var offset = elements.count * BoltFormat.elementBytes
        for element in elements {
            out.append(littleEndian: element.flags)
            out.append(littleEndian: UInt32(offset))
            out.append(littleEndian: UInt32(element.keyCount))
            out.append(littleEndian: UInt32(element.valueCount))
            offset += element.keyCount + element.valueCount - BoltFormat.elementBytes
        }
        out.append(contentsOf: bytes)
    }

    mutating func removeAll() {
        elements.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        size = BoltFormat.pageHeaderBytes
    }
}
