/// A read of a range of keys at one revision.
public struct RangeRequest: Hashable, Sendable {
    public enum SortOrder: UInt8, Sendable {
        case none = 0
        case ascending = 1
        case descending = 2
    }

    public enum SortTarget: UInt8, Sendable {
        case key = 0
        case version = 1
        case createRevision = 2
        case modRevision = 3
        case value = 4
    }

    public var range: KeyRange
    /// Most keys to return; zero or less means all.
    public var limit: Int64 = 0
    /// Main revision to read at; zero or less means the newest.
    public var revision: Int64 = 0
    public var sortOrder: SortOrder = .none
    public var sortTarget: SortTarget = .key
    /// Read what this member has, without asking the others whether it is the newest.
    public var isSerializable = false
    public var keysOnly = false
    public var countOnly = false
    /// Bounds on the keys returned, zero for none. They do not change `RangeResponse.count`.
    public var minModRevision: Int64 = 0
    public var maxModRevision: Int64 = 0
    public var minCreateRevision: Int64 = 0
    public var maxCreateRevision: Int64 = 0

    public init(range: KeyRange) {
        self.range = range
    }

    public var hasRevisionFilter: Bool {
        minModRevision != 0 || maxModRevision != 0 || minCreateRevision != 0 || maxCreateRevision != 0
    }

    /// The answer is in key order and needs no key beyond the limit.
    public var isInKeyOrder: Bool {
        sortOrder == .none || (sortTarget == .key && sortOrder == .ascending)
    }
}

/// The answer to a `RangeRequest`.
public struct RangeResponse: Hashable, Sendable {
    public var keyValues: [KeyValue]
    /// The limit cut the answer short.
    public var more: Bool
    /// Keys in the whole range, whatever the limit and the filters left out.
    public var count: Int64

    public init(keyValues: [KeyValue] = [], more: Bool = false, count: Int64 = 0) {
        self.keyValues = keyValues
        self.more = more
        self.count = count
    }
}
