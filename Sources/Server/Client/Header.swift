internal import StrakeEtcdWire

/// Who answered a call, and at which revision and term.
public struct Header: Hashable, Sendable {
    public var clusterID: UInt64
    public var memberID: UInt64
    /// The store's revision when the request was carried out.
    public var revision: Int64
    public var raftTerm: UInt64

    public init(clusterID: UInt64 = 0, memberID: UInt64 = 0, revision: Int64 = 0, raftTerm: UInt64 = 0) {
        self.clusterID = clusterID
        self.memberID = memberID
        self.revision = revision
        self.raftTerm = raftTerm
    }

    init(_ header: ResponseHeader) {
        self.init(
            clusterID: header.clusterID, memberID: header.memberID, revision: header.revision,
            raftTerm: header.raftTerm)
    }
}
