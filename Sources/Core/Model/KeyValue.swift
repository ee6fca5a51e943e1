/// A key with its value and the revisions that made it.
public struct KeyValue: Hashable, Sendable {
    public var key: [UInt8]
    /// Main revision of the put that brought the key to life.
    public var createRevision: Int64
    /// Main revision of the newest change.
    public var modRevision: Int64
    /// Puts since the key came to life, from 1. A delete sets it back to 0.
    public var version: Int64
    public var value: [UInt8]
    public var lease: LeaseID

    public init(
        key: [UInt8], createRevision: Int64 = 0, modRevision: Int64 = 0, version: Int64 = 0, value: [UInt8] = [],
        lease: LeaseID = .none
    ) {
        self.key = key
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.value = value
        self.lease = lease
    }
}
