/// A period with at most one leader, counted from 1. Zero: before the first election.
public struct Term: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable public static var zero: Term { Term(rawValue: 0) }

    @inlinable
    public static func < (left: Term, right: Term) -> Bool { left.rawValue < right.rawValue }
}

/// A position in the log, counted from 1. Zero: before the first entry.
public struct LogIndex: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable public static var zero: LogIndex { LogIndex(rawValue: 0) }

    @inlinable
    public static func < (left: LogIndex, right: LogIndex) -> Bool { left.rawValue < right.rawValue }

    @inlinable
    public static func + (left: LogIndex, right: UInt64) -> LogIndex { LogIndex(rawValue: left.rawValue + right) }

    @inlinable
    public static func - (left: LogIndex, right: UInt64) -> LogIndex { LogIndex(rawValue: left.rawValue - right) }

    @inlinable
    public static func - (left: LogIndex, right: LogIndex) -> UInt64 { left.rawValue - right.rawValue }
}

/// A member of the cluster. Zero names nobody and is never given out.
public struct MemberID: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func < (left: MemberID, right: MemberID) -> Bool { left.rawValue < right.rawValue }
}

extension Term: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

extension LogIndex: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

extension MemberID: CustomStringConvertible {
    public var description: String { String(rawValue, radix: 16) }
}
