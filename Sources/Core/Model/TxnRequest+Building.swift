// Conditions and operations on single keys, in few words.

extension Compare {
    /// Of a key that is not there no comparison of values holds.
    public static func value(
        of key: some ByteConvertible, _ result: Result, _ value: some ByteConvertible
    ) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .value(value.storedBytes))
    }

    /// Puts since the key came to life; 0 where it is not there.
    public static func version(of key: some ByteConvertible, _ result: Result, _ version: Int64) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .version(version))
    }

    /// 0 where the key is not there.
    public static func createRevision(of key: some ByteConvertible, _ result: Result, _ revision: Int64) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .createRevision(revision))
    }

    /// 0 where the key is not there.
    public static func modRevision(of key: some ByteConvertible, _ result: Result, _ revision: Int64) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .modRevision(revision))
    }

    /// `.none` where the key has no lease, or is not there.
    public static func lease(of key: some ByteConvertible, _ result: Result, _ lease: LeaseID) -> Compare {
        Compare(range: .key(key.storedBytes), result: result, target: .lease(lease))
    }

    public static func exists(_ key: some ByteConvertible) -> Compare { .createRevision(of: key, .greater, 0) }

    public static func isMissing(_ key: some ByteConvertible) -> Compare { .createRevision(of: key, .equal, 0) }
}

extension RequestOp {
    public static func get(_ key: some ByteConvertible) -> RequestOp { .get(.key(key.storedBytes)) }

    public static func get(_ range: KeyRange) -> RequestOp { .range(RangeRequest(range: range)) }

    public static func put(
        _ key: some ByteConvertible, _ value: some ByteConvertible, lease: LeaseID = .none
    ) -> RequestOp {
        .put(PutRequest(key: key.storedBytes, value: value.storedBytes, lease: lease))
    }

    public static func delete(_ key: some ByteConvertible) -> RequestOp { .delete(.key(key.storedBytes)) }

    public static func delete(_ range: KeyRange) -> RequestOp { .deleteRange(DeleteRangeRequest(range: range)) }
}
