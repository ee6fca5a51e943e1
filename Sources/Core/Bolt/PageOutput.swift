/// Pages in the order of their numbers, as they are finished.
struct PageOutput {
    /// False: pages are only counted.
    let keepsBytes: Bool
    private(set) var pageCount: UInt64 = 0
    private(set) var bytes: [UInt8] = []

    init(keepsBytes: Bool) {
        self.keepsBytes = keepsBytes
    }

    /// Pages behind the first that this many bytes need.
    static func furtherPages(_ size: Int) -> UInt32 { UInt32((size - 1) / BoltFormat.pageBytes) }

    /// The next page or run of pages.
    ///
    /// - Returns: Its number.
    mutating func add(size: Int, encode: (_ id: UInt64, _ out: inout [UInt8]) -> Void) -> UInt64 {
        let id = pageCount
        pageCount += 1 + UInt64(Self.furtherPages(size))
        guard keepsBytes else { return id }
        let start = bytes.count
        encode(id, &bytes)
        precondition(bytes.count - start == size, "a page of \(bytes.count - start) bytes was counted as \(size)")
        let whole = Int(pageCount - id) * BoltFormat.pageBytes
        bytes.append(contentsOf: repeatElement(0, count: whole - size))
        return id
    }

    mutating func add(_ leaf: LeafDraft) -> UInt64 {
        add(size: leaf.size) { leaf.encode(id: $0, to: &$1) }
    }

    mutating func add(_ children: [BranchDraft.Child]) -> UInt64 {
        add(size: BranchDraft.size(children)) { BranchDraft.encode(children, id: $0, to: &$1) }
    }

    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
