/// What was asked of the members at one time.
package struct ClusterSample: Sendable {
    package var members: [MemberSample]
    /// Since the sample before; nil when no watch is on.
    package var prefixes: PrefixTable.Counts?
    /// When the prefixes were taken, in seconds from any start.
    package var takenAt: Double
    /// What went wrong beside the members: the member list, the watch.
    package var problems: [String] = []

    package init(takenAt: Double, members: [MemberSample], prefixes: PrefixTable.Counts? = nil) {
        self.takenAt = takenAt
        self.members = members
        self.prefixes = prefixes
    }
}

/// What one member has said, or why it has not.
package struct MemberSample: Sendable {
    /// What a member tells of itself.
    package struct Status: Hashable, Sendable {
        package var clusterID: UInt64 = 0
        package var version = ""
        package var revision: Int64 = 0
        /// 0: it knows of none.
        package var leader: UInt64 = 0
        package var term: UInt64 = 0
        package var index: UInt64 = 0
        package var applied: UInt64 = 0
        package var dbSize: Int64 = 0
        package var dbSizeInUse: Int64 = 0
        package var isLearner = false
        package var errors: [String] = []

        package init() {}
    }

    /// Where it was asked; empty for a member that has not started.
    package var endpoint: String
    /// By the member list; empty when that does not have it.
    package var name = ""
    /// 0: it is not known who that is.
    package var id: UInt64 = 0
    package var status: Status?
    package var metrics: MemberMetrics?
    /// When the metrics came, in seconds from any start.
    package var takenAt: Double = 0
    /// Why the status or the metrics are missing.
    package var problem: String?

    package init(endpoint: String) {
        self.endpoint = endpoint
    }
}
