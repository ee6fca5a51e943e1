/// What has to be known of a file before its first byte.
package struct BoltPlan: Hashable, Sendable {
    package var pageCount: UInt64
    package var root: UInt64

    package var fileBytes: UInt64 { pageCount * UInt64(BoltFormat.pageBytes) }
}

/// Writes a bbolt database from buckets with their entries in order, front to back, in the memory of a few pages.
///
/// The first bytes of the file say how many pages it has and which is the root. So the same entries go through a writer
/// twice: first one that counts, for which values are numbers of bytes, then one that writes. Both do the same steps; that
/// they come to the same pages is checked at the end.
package struct BoltWriter: Sendable {
    /// bbolt's bounds.
    package static let keyBytesMax = 32_768
    package static let valueBytesMax = (1 << 31) - 2

    private var pages: PageOutput
    private let plan: BoltPlan?
    private var root = TreeDraft()
    private var bucket: (name: [UInt8], tree: TreeDraft)?

    /// A writer that counts.
    package static func counting() -> BoltWriter { BoltWriter(plan: nil) }

    /// A writer of the file that was counted.
    package init(_ plan: BoltPlan) {
        self.init(plan: plan)
    }

    private init(plan: BoltPlan?) {
        self.plan = plan
        pages = PageOutput(keepsBytes: plan != nil)
        for transaction: UInt64 in [2, 1] {
            _ = pages.add(size: BoltFormat.pageBytes) { _, out in
                guard let plan else { return }
                let meta = BoltMeta(
                    pageBytes: BoltFormat.pageBytes, root: plan.root, freelist: 2, pageCount: plan.pageCount,
                    transaction: transaction)
                out += meta.encodePage()
            }
        }
        // No page is free.
        _ = pages.add(size: BoltFormat.pageHeaderBytes) { id, out in
            out.append(littleEndian: id)
            out.append(littleEndian: BoltFormat.PageKind.freelist.rawValue)
            out.append(contentsOf: [0, 0, 0, 0, 0, 0])
        }
    }

    /// Names come in order, as entries do.
    package mutating func beginBucket(_ name: [UInt8]) {
        precondition(bucket == nil, "a bucket in a bucket")
        bucket = (name, TreeDraft())
    }

    /// For a writer that counts.
    package mutating func count(_ key: [UInt8], valueCount: Int) {
        precondition(plan == nil, "an entry without its value")
        bucket!.tree.add(key, valueCount: valueCount, value: nil, flags: 0, to: &pages)
    }

    package mutating func add(_ key: [UInt8], _ value: UnsafeRawBufferPointer) {
        let kept = plan == nil ? nil : value
        bucket!.tree.add(key, valueCount: value.count, value: kept, flags: 0, to: &pages)
    }

    package mutating func add(_ key: [UInt8], _ value: [UInt8]) {
        value.withUnsafeBytes { add(key, $0) }
    }

    package mutating func endBucket() {
        guard let (name, open) = bucket else { preconditionFailure("no bucket is open") }
        bucket = nil
        var tree = open
        var header: [UInt8] = []
        var valueCount = BoltFormat.bucketHeaderBytes
        if tree.isOneLeaf, tree.leaf.size <= BoltFormat.inlineBytesMax {
            valueCount += tree.leaf.size
            header.append(littleEndian: UInt64(0))
            header.append(littleEndian: UInt64(0))
            if plan != nil { tree.leaf.encode(id: 0, to: &header) }
        } else {
            header.append(littleEndian: tree.finish(&pages))
            header.append(littleEndian: UInt64(0))
        }
        header.withUnsafeBytes {
            root.add(
                name, valueCount: valueCount, value: plan == nil ? nil : $0, flags: BoltFormat.bucketFlag, to: &pages)
        }
    }

    /// Ends the file. What a writer that writes has left to take is the rest.
    package mutating func finish() -> BoltPlan {
        precondition(bucket == nil, "a bucket is open")
        let rootPage = root.finish(&pages)
        let result = BoltPlan(pageCount: pages.pageCount, root: rootPage)
        if let plan { precondition(plan == result, "\(result) was counted as \(plan)") }
        return result
    }

    /// Bytes that are finished and were not taken.
    package var pending: Int { pages.bytes.count }

    package mutating func take() -> [UInt8] { pages.take() }
}
