/// The static table (RFC 7541 appendix A): made once, shared by all connections.
struct HPACKStaticTable {
    static let count = 61

    /// Entries 1...61 at 0...60; their offsets carry `HeaderEntry.staticBit`.
    let entries: UnsafePointer<HeaderEntry>
    let strings: UnsafeRawPointer

    nonisolated(unsafe) static let shared = HPACKStaticTable()

    private init() {
        var text: [UInt8] = []
        let entries = UnsafeMutablePointer<HeaderEntry>.allocate(capacity: Self.count)
        for (index, field) in Self.fields.enumerated() {
            var entry = HeaderEntry()
            entry.nameOffset = UInt32(text.count) | HeaderEntry.staticBit
            entry.nameCount = UInt32(field.0.utf8.count)
            text += field.0.utf8
            entry.valueOffset = UInt32(text.count) | HeaderEntry.staticBit
            entry.valueCount = UInt32(field.1.utf8.count)
            text += field.1.utf8
            Array(field.0.utf8).withUnsafeBytes { entry.name = HeaderName(ByteView($0)) }
            Array(field.1.utf8).withUnsafeBytes {
                // "/" and "/index.html" are nobody's gRPC methods.
                entry.resolved = HeaderValue.resolve(entry.name, ByteView($0), methods: nil)
            }
            (entries + index).initialize(to: entry)
        }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: text.count, alignment: 1)
        text.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        self.entries = UnsafePointer(entries)
        strings = UnsafeRawPointer(memory)
    }

    /// Index (from 1) of the entry with this name and value, and of the first with the name; 0 if none.
    static func find(_ name: String, _ value: String) -> (exact: Int, named: Int) {
        var named = 0
        for (index, field) in fields.enumerated() where field.0 == name {
            if named == 0 { named = index + 1 }
            if field.1 == value { return (index + 1, named) }
        }
        return (0, named)
    }

    static let fields: [(String, String)] = [
        (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
        (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
        (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
        ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
        ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""),
        ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""),
        ("content-length", ""), ("content-location", ""), ("content-range", ""), ("content-type", ""),
        ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
        ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
        ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""),
        ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""),
        ("retry-after", ""), ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""),
        ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""), ("www-authenticate", ""),
    ]
}
