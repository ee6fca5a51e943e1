/// Counts events by the first path components of their keys, over one interval.
package struct PrefixTable: Sendable {
    package struct Count: Hashable, Sendable {
        package var puts: UInt64 = 0
        package var deletes: UInt64 = 0
        /// Of keys and values.
        package var bytes: UInt64 = 0

        package init() {}

        package var events: UInt64 { puts + deletes }
    }

    /// What was counted until the table was emptied.
    package struct Counts: Hashable, Sendable {
        package var prefixes: [[UInt8]: Count] = [:]
        /// Events of prefixes that came when the table was full.
        package var others = Count()

        package init() {}
    }

    /// Prefixes of one interval. Once there are so many, events of further ones are counted together, until the interval ends
    /// and the table is empty again.
    package static let prefixesMax = 1_024
    /// A longer prefix is cut.
    package static let prefixBytesMax = 256

    /// All keys begin with it; components are counted behind it.
    private let root: [UInt8]
    private let depth: Int
    private var counts = Counts()

    /// - Parameter depth: Components that make a prefix, at least 1.
    package init(root: [UInt8] = [], depth: Int) {
        precondition(depth > 0, "a prefix has at least one component, not \(depth)")
        self.root = root
        self.depth = depth
    }

    /// The first components with the slashes behind them: `/registry/pods/` of `/registry/pods/default/web` with two. What
    /// follows the last slash is the key's own name, so a key without one has an empty prefix.
    package func prefix(of key: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let start = key.starts(with: root) ? root.count : 0
        var end = start
        var components = 0
        var place = start
        // A slash in front begins the first component.
        if place < key.count, key[place] == slash { (place, end) = (place + 1, place + 1) }
        while place < key.count, components < depth {
            if key[place] == slash {
                components += 1
                end = place + 1
            }
            place += 1
        }
        return Array(key[..<min(end, Self.prefixBytesMax)])
    }

    package mutating func add(key: [UInt8], valueBytes: Int, isDelete: Bool) {
        let prefix = prefix(of: key)
        let bytes = UInt64(key.count + valueBytes)
        guard counts.prefixes[prefix] != nil || counts.prefixes.count < Self.prefixesMax else {
            return Self.add(&counts.others, bytes, isDelete)
        }
        Self.add(&counts.prefixes[prefix, default: Count()], bytes, isDelete)
    }

    private static func add(_ count: inout Count, _ bytes: UInt64, _ isDelete: Bool) {
        if isDelete { count.deletes += 1 } else { count.puts += 1 }
        count.bytes += bytes
    }

    /// Empties the table.
    package mutating func take() -> Counts {
        let taken = counts
        counts = Counts()
        return taken
    }
}
