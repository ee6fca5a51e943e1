/// Writes JSON into memory, member by member.
struct JSONWriter {
    /// etcd's two ways, which are two libraries' there.
    enum Style {
        /// A blank behind each comma: the answers to calls.
        case spaced
        /// No blanks, and nothing in strings that would mean something in HTML: the lines of streams.
        case compact
    }

    var bytes: [UInt8] = []
    private let style: Style
    /// Nothing stands in the innermost object or array yet.
    private var isFirst = true

    init(style: Style) {
        self.style = style
    }

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func beginObject() { open("{") }
    mutating func endObject() { close("}") }
    mutating func beginArray() { open("[") }
    mutating func endArray() { close("]") }

    /// Begins a member of an object.
    mutating func name(_ name: String) {
        separate()
        raw("\"")
        raw(name)
        raw("\":")
    }

    /// Comes before each element of an array.
    mutating func separate() {
        if !isFirst { raw(style == .spaced ? ", " : ",") }
        isFirst = false
    }

    private mutating func open(_ bracket: String) {
        raw(bracket)
        isFirst = true
    }

    private mutating func close(_ bracket: String) {
        raw(bracket)
        isFirst = false
    }

    /// - Parameter text: UTF-8.
    mutating func string(_ text: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        self.text(text)
        bytes.append(UInt8(ascii: "\""))
    }

    /// A part of a string: what stands between its quotes.
    ///
    /// - Parameter text: UTF-8, which may be cut anywhere.
    mutating func text(_ text: some Sequence<UInt8>) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x08: raw("\\b")
            case 0x09: raw("\\t")
            case 0x0A: raw("\\n")
            case 0x0C: raw("\\f")
            case 0x0D: raw("\\r")
            case 0..<0x20: escape(byte)
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                if style == .compact { escape(byte) } else { bytes.append(byte) }
            default: bytes.append(byte)
            }
        }
    }

    private mutating func escape(_ byte: UInt8) {
        raw("\\u00")
        bytes.append(Self.hexDigits[Int(byte >> 4)])
        bytes.append(Self.hexDigits[Int(byte & 0xF)])
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
}
