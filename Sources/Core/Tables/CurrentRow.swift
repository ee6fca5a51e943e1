internal import StrakeChecksum
internal import StrakeModel

/// One row of `current`: the entry of the key that ends here, the node with the longer keys that go on from here, or
/// both.
///
/// Little-endian; what the flags leave out takes no room.
/// ```text
/// u32 CRC-32C of the rest, then of the row's key     entry: i64 i32 mod revision
/// u8  flags                                                 i64 create revision
/// child: u64 node                                           i64 version
///                                                           u32 length of the value
///                                                    lease: i64
///                                                    chain: u64 depth, i64 i32 jump
/// ```
struct CurrentRow {
    var entry: CurrentEntry?
    /// Only in a row with a segment of full length.
    var child: TrieNode?

    private struct Flags: OptionSet {
        var rawValue: UInt8
        static let entry = Flags(rawValue: 1)
        static let child = Flags(rawValue: 2)
        static let tombstone = Flags(rawValue: 4)
        static let lease = Flags(rawValue: 8)
        /// Any event but a key's first.
        static let chain = Flags(rawValue: 16)

        /// Bytes of a row with these flags.
        var rowCount: Int {
            5 + (contains(.child) ? 8 : 0) + (contains(.entry) ? 32 : 0) + (contains(.lease) ? 8 : 0)
                + (contains(.chain) ? 20 : 0)
        }

        var isValid: Bool {
            rawValue < 32 && !isDisjoint(with: [.entry, .child])
                && (contains(.entry) || isDisjoint(with: [.tombstone, .lease, .chain]))
        }
    }

    init(entry: CurrentEntry?, child: TrieNode?) {
        self.entry = entry
        self.child = child
    }

    private var flags: Flags {
        var flags: Flags = []
        if child != nil { flags.insert(.child) }
        if let entry {
            flags.insert(.entry)
            if entry.isTombstone { flags.insert(.tombstone) }
            if entry.lease != .none { flags.insert(.lease) }
            if entry.link != .first { flags.insert(.chain) }
        }
        return flags
    }

    var count: Int { flags.rowCount }

    /// Writes `count` bytes.
    func write(into bytes: UnsafeMutableRawBufferPointer, key: UnsafeRawBufferPointer) {
        var fields = FieldWriter(bytes, at: 4)
        fields.write(flags.rawValue)
        if let child { fields.write(child.id) }
        if let entry {
            fields.write(entry.modRevision.main)
            fields.write(entry.modRevision.sub)
            fields.write(entry.createRevision)
            fields.write(entry.version)
            fields.write(UInt32(entry.valueCount))
            if entry.lease != .none { fields.write(entry.lease.rawValue) }
            if entry.link != .first {
                fields.write(entry.link.depth)
                fields.write(entry.link.jump.main)
                fields.write(entry.link.jump.sub)
            }
        }
        var first = FieldWriter(bytes)
        first.write(Self.checksum(UnsafeRawBufferPointer(bytes), key: key))
    }

    init(_ bytes: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) throws(TableError.Corruption) {
        guard bytes.count >= 5 else { throw .truncated }
        var fields = FieldReader(bytes)
        guard fields.read(UInt32.self) == Self.checksum(bytes, key: key) else { throw .checksum }
        let flags = Flags(rawValue: fields.read())
        guard flags.isValid else { throw .unknownFlags }
        guard bytes.count == flags.rowCount else { throw .badLength }
        child = flags.contains(.child) ? TrieNode(id: fields.read()) : nil
        entry = flags.contains(.entry) ? Self.readEntry(flags, &fields) : nil
    }

    private static func readEntry(_ flags: Flags, _ fields: inout FieldReader) -> CurrentEntry {
        let modMain = fields.read(Int64.self)
        var entry = CurrentEntry(
            modRevision: Revision(main: modMain, sub: fields.read()), isTombstone: flags.contains(.tombstone),
            createRevision: fields.read(), version: fields.read(), valueCount: Int(fields.read(UInt32.self)))
        if flags.contains(.lease) { entry.lease = LeaseID(rawValue: fields.read()) }
        if flags.contains(.chain) {
            let depth = fields.read(UInt64.self)
            let jumpMain = fields.read(Int64.self)
            entry.link = ChainLink(depth: depth, jump: Revision(main: jumpMain, sub: fields.read()))
        }
        return entry
    }

    /// With the key, so that a row that turns up in another's place is found out.
    private static func checksum(_ bytes: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> UInt32 {
        var checksum = CRC32C()
        checksum.add(bytes.dropping(4))
        checksum.add(key)
        return checksum.value
    }
}
