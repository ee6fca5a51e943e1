/// A leaf or branch page with its further pages, checked: whatever its elements say lies inside.
struct BoltPage {
    let bytes: [UInt8]
    let isLeaf: Bool
    let count: Int

    init(_ bytes: [UInt8], number: UInt64) throws(BoltError) {
        guard bytes.count >= BoltFormat.pageHeaderBytes else { throw .damaged(page: number, .outOfBounds) }
        let (id, kind, count) = bytes.withUnsafeBytes {
            ($0.number(at: 0, UInt64.self), $0.number(at: 8, UInt16.self), Int($0.number(at: 10, UInt16.self)))
        }
        guard id == number else { throw .damaged(page: number, .wrongNumber(id)) }
        switch BoltFormat.PageKind(rawValue: kind) {
        case .leaf: isLeaf = true
        case .branch: isLeaf = false
        case .meta, .freelist, nil: throw .damaged(page: number, .unknownKind(kind))
        }
        self.bytes = bytes
        self.count = count
        if let damage = bytes.withUnsafeBytes({ check($0) }) { throw .damaged(page: number, damage) }
    }

    private func check(_ page: UnsafeRawBufferPointer) -> BoltDamage? {
        guard isLeaf || count > 0 else { return .noChildren }
        guard BoltFormat.pageHeaderBytes + count * BoltFormat.elementBytes <= page.count else { return .outOfBounds }
        var last: UnsafeRawBufferPointer?
        for index in 0..<count {
            if isLeaf {
                let flags = page.number(at: element(index), UInt32.self)
                guard flags & ~BoltFormat.bucketFlag == 0 else { return .unknownFlags(flags) }
            }
            guard value(index, page).upperBound <= page.count else { return .outOfBounds }
            let key = UnsafeRawBufferPointer(rebasing: page[key(index, page)])
            if let last, !last.lexicographicallyPrecedes(key) { return .keysOutOfOrder }
            last = key
        }
        return nil
    }

    private func element(_ index: Int) -> Int { BoltFormat.pageHeaderBytes + index * BoltFormat.elementBytes }

    /// Places of key and value. Sums of three 32-bit numbers: they do not overflow.
    private func key(_ index: Int, _ page: UnsafeRawBufferPointer) -> Range<Int> {
        let start = element(index)
        let offset = Int(page.number(at: isLeaf ? start + 4 : start, UInt32.self))
        let count = Int(page.number(at: isLeaf ? start + 8 : start + 4, UInt32.self))
        return start + offset..<start + offset + count
    }

    private func value(_ index: Int, _ page: UnsafeRawBufferPointer) -> Range<Int> {
        let end = key(index, page).upperBound
        return end..<end + (isLeaf ? Int(page.number(at: element(index) + 12, UInt32.self)) : 0)
    }

    func child(_ index: Int) -> UInt64 { bytes.withUnsafeBytes { $0.number(at: element(index) + 8) } }

    /// Lends an entry of a leaf.
    func withEntry<R>(_ index: Int, _ body: (BoltEntry) throws(BoltError) -> R) throws(BoltError) -> R {
        try bytes.withBytes { page throws(BoltError) in
            try body(
                BoltEntry(
                    key: UnsafeRawBufferPointer(rebasing: page[key(index, page)]),
                    value: UnsafeRawBufferPointer(rebasing: page[value(index, page)]),
                    isBucket: page.number(at: element(index), UInt32.self) & BoltFormat.bucketFlag != 0))
        }
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` with the error's type kept.
    fileprivate func withBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(BoltError) -> R
    ) throws(BoltError) -> R {
        let result: Result<R, BoltError> = withUnsafeBytes { bytes in
            do throws(BoltError) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
