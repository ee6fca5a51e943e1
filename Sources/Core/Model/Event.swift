/// One change of one key, as a watcher sees it.
public struct Event: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        case put = 0
        case delete = 1
    }

    public var kind: Kind
    /// For a delete only the key and the mod revision are set.
    public var keyValue: KeyValue
    /// The key before this change, where the watcher asked for it and it is still known.
    public var previous: KeyValue?

    public init(kind: Kind, keyValue: KeyValue, previous: KeyValue? = nil) {
        self.kind = kind
        self.keyValue = keyValue
        self.previous = previous
    }
}
