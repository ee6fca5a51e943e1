/// An entry of a bucket, in memory that is good inside the call it is lent to.
package struct BoltEntry {
    package let key: UnsafeRawBufferPointer
    package let value: UnsafeRawBufferPointer
    /// The value is a bucket.
    package let isBucket: Bool
}

/// A bucket of a file: where its tree begins, or its only page when that lies in the parent.
package struct BoltBucket: Hashable, Sendable {
    /// Zero when the bucket is `page`.
    var root: UInt64
    var page: [UInt8] = []

    init(root: UInt64) {
        self.root = root
    }

    /// - Parameter value: Of an entry that is a bucket.
    package init?(_ value: UnsafeRawBufferPointer) {
        guard value.count >= BoltFormat.bucketHeaderBytes else { return nil }
        root = value.number(at: 0)
        if root == 0 { page = Array(value[BoltFormat.bucketHeaderBytes...]) }
    }
}

/// Reads a bbolt database as its last transaction left it. Every number in the file is checked before it is followed: what
/// is damaged ends in an error, in bounded time and memory.
package struct BoltReader {
    /// So many bytes from an offset on; they are in the file.
    package typealias Source = (_ offset: UInt64, _ count: Int) throws(BoltError) -> [UInt8]

    private static let pageBytesMin = 512
    private static let pageBytesMax = 65_536
    /// Of one page with its further pages. bbolt's values may be longer, etcd's requests may not.
    private static let runBytesMax: UInt64 = 1 << 30
    private static let depthMax = 64

    package let meta: BoltMeta
    private let source: Source

    package init(fileBytes: UInt64, source: @escaping Source) throws(BoltError) {
        self.source = source
        meta = try Self.newestMeta(fileBytes, source)
        let (needed, isHuge) = meta.pageCount.multipliedReportingOverflow(by: UInt64(meta.pageBytes))
        guard !isHuge, needed <= fileBytes else {
            throw .truncated(fileBytes: fileBytes, needed: isHuge ? .max : needed)
        }
    }

    /// The newer of those that are whole. Where the second one is, its page size says, so all are tried.
    private static func newestMeta(_ fileBytes: UInt64, _ source: Source) throws(BoltError) -> BoltMeta {
        var newest: BoltMeta?
        var places = [0]
        var size = pageBytesMin
        while size <= pageBytesMax {
            places.append(size)
            size *= 2
        }
        for place in places {
            let offset = UInt64(place + BoltFormat.pageHeaderBytes)
            guard offset + UInt64(BoltFormat.metaBytes) <= fileBytes else { break }
            let bytes = try source(offset, BoltFormat.metaBytes)
            guard let meta = bytes.withUnsafeBytes({ BoltMeta($0) }), place == 0 || place == meta.pageBytes,
                meta.pageBytes >= pageBytesMin, meta.pageBytes <= pageBytesMax,
                meta.pageBytes & (meta.pageBytes - 1) == 0
            else { continue }
            if meta.transaction > newest?.transaction ?? 0 || newest == nil { newest = meta }
        }
        guard let newest else { throw .noMeta }
        return newest
    }

    /// The bucket that holds all others.
    package var root: BoltBucket { BoltBucket(root: meta.root) }

    /// A bucket of the root; nil when there is none of that name.
    package func bucket(_ name: [UInt8]) throws(BoltError) -> BoltBucket? {
        var found: BoltBucket?
        try forEach(in: root) { entry throws(BoltError) in
            guard entry.isBucket, entry.key.elementsEqual(name) else { return true }
            guard let bucket = BoltBucket(entry.value) else { throw .damaged(page: meta.root, .shortBucket) }
            found = bucket
            return false
        }
        return found
    }

    /// Lends all entries of a bucket, in order, until `body` returns false. The memory of the pages from the root to one
    /// leaf.
    package func forEach(
        in bucket: BoltBucket, _ body: (BoltEntry) throws(BoltError) -> Bool
    ) throws(BoltError) {
        var pagesLeft = meta.pageCount
        var lastKey: [UInt8]?
        var path: [(page: BoltPage, number: UInt64, next: Int)] = []
        var number = bucket.root
        var page = number == 0 ? try BoltPage(bucket.page, number: 0) : try read(number, &pagesLeft)
        while true {
            if page.isLeaf {
                guard try visit(page, number, &lastKey, body) else { return }
            } else {
                guard path.count < Self.depthMax else { throw .damaged(page: number, .tooDeep) }
                path.append((page, number, 0))
            }
            while let last = path.last, last.next == last.page.count { path.removeLast() }
            guard let last = path.last else { return }
            path[path.count - 1].next += 1
            number = last.page.child(last.next)
            page = try read(number, &pagesLeft)
        }
    }

    private func visit(
        _ leaf: BoltPage, _ number: UInt64, _ lastKey: inout [UInt8]?, _ body: (BoltEntry) throws(BoltError) -> Bool
    ) throws(BoltError) -> Bool {
        for index in 0..<leaf.count {
            let goesOn = try leaf.withEntry(index) { entry throws(BoltError) in
                // Inside the page the order is known.
                if index == 0, let lastKey, !lastKey.lexicographicallyPrecedes(entry.key) {
                    throw .damaged(page: number, .keysOutOfOrder)
                }
                if index == leaf.count - 1 { lastKey = Array(entry.key) }
                return try body(entry)
            }
            if !goesOn { return false }
        }
        return true
    }

    /// - Parameter pagesLeft: What the tree may still have: less than nothing means that it is none.
    private func read(_ number: UInt64, _ pagesLeft: inout UInt64) throws(BoltError) -> BoltPage {
        guard number > 1, number < meta.pageCount else { throw .damaged(page: number, .outside) }
        let offset = number * UInt64(meta.pageBytes)
        let header = try source(offset, BoltFormat.pageHeaderBytes)
        let run = 1 + UInt64(header.withUnsafeBytes { $0.number(at: 12, UInt32.self) })
        guard run <= meta.pageCount - number else { throw .damaged(page: number, .outOfBounds) }
        guard run <= pagesLeft else { throw .damaged(page: number, .reachedAgain) }
        pagesLeft -= run
        let bytes = run * UInt64(meta.pageBytes)
        guard bytes <= Self.runBytesMax else { throw .damaged(page: number, .tooLong(bytes: bytes)) }
        return try BoltPage(try source(offset, Int(bytes)), number: number)
    }
}
