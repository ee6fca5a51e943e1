/// A header block that is none: a connection error COMPRESSION_ERROR, as the tables no longer agree.
enum HPACKError: Error, Equatable {
    case truncated
    case integerTooLarge
    case indexOutOfRange
    case badHuffman
    /// Above what SETTINGS allow, or not at the beginning of a block.
    case badSizeUpdate
}

/// Decodes header blocks (RFC 7541) into `fields`.
///
/// Strings live in one arena: the dynamic table's first, then those of the block just decoded. A field that is indexed
/// costs a copy of its 32-byte entry, with what its value means already in it; nothing is copied or compared again.
/// Everything a block gave stays readable until the next `decode`.
struct HPACKDecoder: ~Copyable {
    static let tableBytesMax = 4_096
    /// Each entry counts 32 bytes at least.
    private static let entriesMax = tableBytesMax / 32

    // The arena.
    var arena: UnsafeMutableRawPointer
    var arenaCapacity = 2_048
    /// Behind the last string.
    var arenaEnd = 0
    /// Behind the last string of the dynamic table: the next block overwrites from here.
    var dynamicEnd = 0

    // The dynamic table: entry number n is at `ring[n % entriesMax]`, for n in `oldest..<inserted`.
    let ring: UnsafeMutablePointer<HeaderEntry>
    var inserted = 0
    var oldest = 0
    /// Invariant: sum of the entries' sizes, at most `tableLimit`, at most `tableBytesMax`.
    var tableBytes = 0
    private(set) var tableLimit = tableBytesMax

    // The block.
    private(set) var fields: UnsafeMutablePointer<HeaderEntry>
    private var fieldsCapacity = 32
    private(set) var fieldCount = 0
    private var listBytes = 0
    private let listBytesMax: Int
    /// The header list was longer than allowed: `fields` is empty, the tables are right all the same.
    private(set) var isListTooLong = false

    let statics = HPACKStaticTable.shared
    let methods: MethodTable?
    private let huffman = HuffmanCode.transitions

    init(listBytesMax: Int, methods: MethodTable?) {
        self.listBytesMax = listBytesMax
        self.methods = methods
        arena = .allocate(byteCount: arenaCapacity, alignment: 16)
        ring = .allocate(capacity: Self.entriesMax)
        fields = .allocate(capacity: fieldsCapacity)
    }

    deinit {
        arena.deallocate()
        ring.deallocate()
        fields.deallocate()
    }

    mutating func decode(_ block: ByteView) throws(HPACKError) {
        beginBlock()
        var offset = 0
        var mayResize = true
        while offset < block.count {
            let first = block[offset]
            if first & 0x80 != 0 {
                emit(try entry(at: try Self.integer(block, &offset, prefixBits: 7)))
            } else if first & 0x40 != 0 {
                try literal(block, &offset, prefixBits: 6, isIndexed: true)
            } else if first & 0x20 != 0 {
                guard mayResize else { throw .badSizeUpdate }
                try resize(to: try Self.integer(block, &offset, prefixBits: 5))
                continue
            } else {
                try literal(block, &offset, prefixBits: 4, isIndexed: false)
            }
            mayResize = false
        }
    }

    private mutating func beginBlock() {
        fieldCount = 0
        listBytes = 0
        isListTooLong = false
        arenaEnd = dynamicEnd
        if dynamicEnd > 2 * Self.tableBytesMax { compact() }
    }

    mutating func clearFields() { fieldCount = 0 }

    private mutating func emit(_ entry: HeaderEntry) {
        listBytes += entry.size
        guard listBytes <= listBytesMax else {
            isListTooLong = true
            fieldCount = 0
            return
        }
        if fieldCount == fieldsCapacity {
            let larger = UnsafeMutablePointer<HeaderEntry>.allocate(capacity: fieldsCapacity * 2)
            larger.update(from: fields, count: fieldCount)
            fields.deallocate()
            fields = larger
            fieldsCapacity *= 2
        }
        fields[fieldCount] = entry
        fieldCount += 1
    }

    private func entry(at index: Int) throws(HPACKError) -> HeaderEntry {
        guard index > 0 else { throw .indexOutOfRange }
        if index <= HPACKStaticTable.count { return statics.entries[index - 1] }
        let number = inserted - (index - HPACKStaticTable.count)
        guard number >= oldest else { throw .indexOutOfRange }
        return ring[number % Self.entriesMax]
    }

    private mutating func literal(
        _ block: ByteView, _ offset: inout Int, prefixBits: Int, isIndexed: Bool
    ) throws(HPACKError) {
        var field = HeaderEntry()
        let index = try Self.integer(block, &offset, prefixBits: prefixBits)
        if index == 0 {
            (field.nameOffset, field.nameCount) = try string(block, &offset)
            let name = view(field.nameOffset, field.nameCount)
            field.name = HeaderName(name)
            field.isMalformed = !HeaderSyntax.isName(name)
        } else {
            let named = try entry(at: index)
            (field.nameOffset, field.nameCount, field.name) = (named.nameOffset, named.nameCount, named.name)
            // The entry it takes its name from may go before it does.
            if isIndexed, field.nameOffset & HeaderEntry.staticBit == 0 { copyName(of: &field) }
            field.isMalformed = !HeaderSyntax.isName(view(field.nameOffset, field.nameCount))
        }
        (field.valueOffset, field.valueCount) = try string(block, &offset)
        let value = view(field.valueOffset, field.valueCount)
        if !HeaderSyntax.isValue(value) { field.isMalformed = true }
        field.resolved = HeaderValue.resolve(field.name, value, methods: methods)
        emit(field)
        if isIndexed { insert(field) }
        // Nothing refers to the block's own strings any more: memory stays bounded whatever the block repeats.
        if isListTooLong { trimArena() }
    }

    /// A string literal, into the arena.
    private mutating func string(
        _ block: ByteView, _ offset: inout Int
    ) throws(HPACKError) -> (offset: UInt32, count: UInt32) {
        guard offset < block.count else { throw .truncated }
        let isCoded = block[offset] & 0x80 != 0
        let length = try Self.integer(block, &offset, prefixBits: 7)
        guard length <= block.count - offset else { throw .truncated }
        let input = block.slice(from: offset, count: length)
        offset += length
        let start = arenaEnd
        if isCoded {
            reserveArena(HuffmanCode.decodedMax(length))
            guard let count = HuffmanCode.decode(input, into: arena + arenaEnd, table: huffman) else {
                throw .badHuffman
            }
            arenaEnd += count
        } else {
            reserveArena(length)
            (arena + arenaEnd).copyMemory(from: input.base, byteCount: length)
            arenaEnd += length
        }
        return (UInt32(start), UInt32(arenaEnd - start))
    }

    private mutating func resize(to limit: Int) throws(HPACKError) {
        guard limit <= Self.tableBytesMax else { throw .badSizeUpdate }
        tableLimit = limit
        evict(to: limit)
    }

    /// An integer of RFC 7541 §5.1. Nothing sensible here is above 2^28, so longer ones are refused before they overflow.
    private static func integer(
        _ block: ByteView, _ offset: inout Int, prefixBits: Int
    ) throws(HPACKError) -> Int {
        guard offset < block.count else { throw .truncated }
        let limit = 1 << prefixBits - 1
        var value = Int(block[offset]) & limit
        offset += 1
        guard value == limit else { return value }
        var shift = 0
        while true {
            guard offset < block.count else { throw .truncated }
            let byte = Int(block[offset])
            offset += 1
            guard shift <= 21 else { throw .integerTooLarge }
            value += (byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    func entryIndex(_ number: Int) -> Int { number % Self.entriesMax }
}
