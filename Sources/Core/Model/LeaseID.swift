/// A lease's name, chosen by the client or before the grant is proposed. Zero means "no lease".
public struct LeaseID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: Int64

    @inlinable
    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    @inlinable public static var none: LeaseID { LeaseID(rawValue: 0) }

    @inlinable
    public static func < (left: LeaseID, right: LeaseID) -> Bool { left.rawValue < right.rawValue }
}
