/// Encodes header blocks (RFC 7541).
///
/// Nothing is ever evicted: what does not fit stays a literal. So an entry keeps its place from the oldest end, and a
/// block once encoded stays right until an entry is added or the table is emptied: `version` tells.
struct HPACKEncoder {
    enum Indexing {
        case add
        case without
        case never
    }

    private struct Entry {
        var name: String
        var value: String
    }

    /// Oldest first.
    private var entries: [Entry] = []
    private var tableBytes = 0
    private var tableLimit = HPACKDecoder.tableBytesMax
    /// The peer made its table smaller and must hear that we know.
    private var owesSizeUpdate = false
    /// Changes when indices do.
    private(set) var version = 1

    /// SETTINGS_HEADER_TABLE_SIZE of the peer: never more than 4,096 are used of it.
    mutating func setPeerTableSize(_ size: UInt32) {
        let limit = min(Int(size), HPACKDecoder.tableBytesMax)
        guard limit != tableLimit else { return }
        // Growing needs no update as nothing was evicted; but the peer's decoder starts from what it was told last.
        tableLimit = limit
        tableBytes = 0
        entries.removeAll()
        owesSizeUpdate = true
        version += 1
    }

    /// Must come before the first field of a block.
    @inline(__always)
    mutating func beginBlock(into out: inout OutputBuffer) {
        if owesSizeUpdate { sendSizeUpdate(into: &out) }
    }

    private mutating func sendSizeUpdate(into out: inout OutputBuffer) {
        owesSizeUpdate = false
        // Zero first: the peer's table is then empty, as ours is.
        out.append(0x20)
        Self.appendInteger(tableLimit, prefixBits: 5, pattern: 0x20, into: &out)
    }

    mutating func encode(_ field: HeaderField, _ indexing: Indexing, into out: inout OutputBuffer) {
        let statics = HPACKStaticTable.find(field.name, field.value)
        if statics.exact > 0 {
            Self.appendInteger(statics.exact, prefixBits: 7, pattern: 0x80, into: &out)
            return
        }
        if let exact = entries.firstIndex(where: { $0.name == field.name && $0.value == field.value }) {
            Self.appendInteger(dynamicIndex(exact), prefixBits: 7, pattern: 0x80, into: &out)
            return
        }
        var named = statics.named
        if named == 0, let entry = entries.firstIndex(where: { $0.name == field.name }) { named = dynamicIndex(entry) }
        let size = field.name.utf8.count + field.value.utf8.count + 32
        let mayAdd = indexing == .add && !field.isSensitive && tableBytes + size <= tableLimit
        if mayAdd {
            Self.appendInteger(named, prefixBits: 6, pattern: 0x40, into: &out)
        } else {
            let isNever = field.isSensitive || indexing == .never
            Self.appendInteger(named, prefixBits: 4, pattern: isNever ? 0x10 : 0x00, into: &out)
        }
        if named == 0 { Self.appendString(Array(field.name.utf8), into: &out) }
        Self.appendString(Array(field.value.utf8), into: &out)
        if mayAdd {
            entries.append(Entry(name: field.name, value: field.value))
            tableBytes += size
            version += 1
        }
    }

    private func dynamicIndex(_ position: Int) -> Int { HPACKStaticTable.count + entries.count - position }

    static func appendInteger(_ value: Int, prefixBits: Int, pattern: UInt8, into out: inout OutputBuffer) {
        let limit = 1 << prefixBits - 1
        guard value >= limit else {
            out.append(pattern | UInt8(value))
            return
        }
        out.append(pattern | UInt8(limit))
        var rest = value - limit
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(rest))
    }

    /// Huffman-coded if that is shorter.
    static func appendString(_ bytes: [UInt8], into out: inout OutputBuffer) {
        if HuffmanCode.encodedCount(bytes) < bytes.count {
            let coded = HuffmanCode.encode(bytes)
            appendInteger(coded.count, prefixBits: 7, pattern: 0x80, into: &out)
            out.append(coded)
        } else {
            appendInteger(bytes.count, prefixBits: 7, pattern: 0x00, into: &out)
            out.append(bytes)
        }
    }
}
