/// A write of one key.
public struct PutRequest: Hashable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]
    public var lease: LeaseID
    public var wantsPrevious = false
    /// Keep the value the key has; it must exist.
    public var ignoreValue = false
    /// Keep the lease the key has; it must exist.
    public var ignoreLease = false

    public init(key: [UInt8], value: [UInt8], lease: LeaseID = .none) {
        self.key = key
        self.value = value
        self.lease = lease
    }
}

public struct PutResponse: Hashable, Sendable {
    public var previous: KeyValue?

    public init(previous: KeyValue? = nil) {
        self.previous = previous
    }
}

/// Removal of every key in a range.
public struct DeleteRangeRequest: Hashable, Sendable {
    public var range: KeyRange
    public var wantsPrevious = false

    public init(range: KeyRange) {
        self.range = range
    }
}

public struct DeleteRangeResponse: Hashable, Sendable {
    public var deleted: Int64
    public var previous: [KeyValue]

    public init(deleted: Int64 = 0, previous: [KeyValue] = []) {
        self.deleted = deleted
        self.previous = previous
    }
}
