/// Children of one level of a tree that have no branch page yet.
///
/// Every branch page gets two children at least: bbolt stops its process when it deletes what is in a page without
/// siblings. So the last two that came are never given away before the end.
struct BranchDraft {
    struct Child {
        /// First key below it.
        var key: [UInt8]
        var page: UInt64

        var size: Int { BoltFormat.elementBytes + key.count }
    }

    private static let childrenMin = 2

    private(set) var children: [Child] = []

    mutating func add(_ child: Child) { children.append(child) }

    /// The children of a page that is full, once that leaves enough for another page.
    mutating func takeFull() -> [Child]? {
        let count = fitting
        return children.count >= count + Self.childrenMin ? take(count) : nil
    }

    /// The children of a page when no more will come; nil when there are none left.
    mutating func takeRest() -> [Child]? {
        if children.isEmpty { return nil }
        let count = fitting
        switch children.count - count {
        case 0: return take(count)
        case 1 where count > Self.childrenMin: return take(count - 1)
        // A page run: only keys of a thousand bytes come here.
        case 1: return take(count + 1)
        default: return take(count)
        }
    }

    /// Children that a page takes; two in any case, in a run of pages if need be.
    private var fitting: Int {
        var size = BoltFormat.pageHeaderBytes
        var count = 0
        for child in children {
            size += child.size
            if size > BoltFormat.pageBytes, count >= Self.childrenMin { break }
            count += 1
        }
        return count
    }

    private mutating func take(_ count: Int) -> [Child] {
        let taken = Array(children.prefix(count))
        children.removeFirst(count)
        return taken
    }

    /// Appends a page of these children, without what pads it.
    static func encode(_ children: [Child], id: UInt64, to out: inout [UInt8]) {
        out.append(littleEndian: id)
        out.append(littleEndian: BoltFormat.PageKind.branch.rawValue)
        out.append(littleEndian: UInt16(children.count))
        out.append(littleEndian: PageOutput.furtherPages(size(children)))
        var offset = children.count * BoltFormat.elementBytes
        for child in children {
            out.append(littleEndian: UInt32(offset))
            out.append(littleEndian: UInt32(child.key.count))
            out.append(littleEndian: child.page)
            offset += child.key.count - BoltFormat.elementBytes
        }
        for child in children { out.append(contentsOf: child.key) }
    }

    static func size(_ children: [Child]) -> Int {
        children.reduce(BoltFormat.pageHeaderBytes) { $0 + $1.size }
    }
}
