/// Why a file cannot be read as a bbolt database.
package enum BoltError: Error, Hashable, Sendable {
    /// No meta page is whole: it is another kind of file, or its first pages are damaged.
    case noMeta
    /// The file ends before its last page does.
    case truncated(fileBytes: UInt64, needed: UInt64)
    case damaged(page: UInt64, BoltDamage)
    /// The system's error number.
    case unreadable(Int32)
}

/// What is wrong with a page.
package enum BoltDamage: Hashable, Sendable {
    /// No page of the file has that number.
    case outside
    case wrongNumber(UInt64)
    case unknownKind(UInt16)
    case unknownFlags(UInt32)
    /// An element, a key or a value reaches beyond the page.
    case outOfBounds
    case keysOutOfOrder
    case noChildren
    case tooDeep
    /// The trees have more pages than the file: one is reached in two ways.
    case reachedAgain
    /// A run of pages of more bytes than any entry needs.
    case tooLong(bytes: UInt64)
    /// A bucket's value is too short for one.
    case shortBucket
}

extension BoltError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noMeta: "it is no bbolt database, or its first pages are damaged"
        case .truncated(let fileBytes, let needed): "it has \(fileBytes) bytes and should have \(needed)"
        case .damaged(let page, let damage): "page \(page) is damaged: \(damage)"
        case .unreadable(let number): "it cannot be read: error \(number)"
        }
    }
}
