/// The position of one change in the store's history.
///
/// `main` counts mutating requests: the store starts at 1 and each request that changes something takes the next
/// value. `sub` numbers the changes inside one request from 0, in the order they were made.
public struct Revision: Hashable, Comparable, Sendable {
    public var main: Int64
    public var sub: Int32

    @inlinable
    public init(main: Int64, sub: Int32 = 0) {
        self.main = main
        self.sub = sub
    }

    /// Sorts before every change; as a predecessor it means "none".
    @inlinable public static var zero: Revision { Revision(main: 0, sub: 0) }

    @inlinable
    public static func < (left: Revision, right: Revision) -> Bool {
        left.main != right.main ? left.main < right.main : left.sub < right.sub
    }
}

extension Revision: CustomStringConvertible {
    public var description: String { "\(main).\(sub)" }
}
