/// What Maintenance.Status tells about the member that answers.
package struct StatusResponse: ResponseBody, Hashable, Sendable {
    /// The etcd release that this is compatible with; kube-apiserver reads it.
    package var version = ""
    package var dbSize: Int64 = 0
    package var leader: UInt64 = 0
    package var raftIndex: UInt64 = 0
    package var raftTerm: UInt64 = 0
    package var raftAppliedIndex: UInt64 = 0
    package var errors: [String] = []
    package var dbSizeInUse: Int64 = 0
    package var isLearner = false
    package var storageVersion = ""
    package var dbSizeQuota: Int64 = 0
    package var downgradeEnabled = false
    package var downgradeTarget = ""

    package init() {}

    private var downgradeSize: Int {
        ProtobufWriter.size(1, downgradeEnabled) + ProtobufWriter.size(2, downgradeTarget)
    }

    package var fieldsSize: Int {
        let numbers =
            ProtobufWriter.size(3, dbSize) + ProtobufWriter.size(4, leader) + ProtobufWriter.size(5, raftIndex)
            + ProtobufWriter.size(6, raftTerm) + ProtobufWriter.size(7, raftAppliedIndex)
            + ProtobufWriter.size(9, dbSizeInUse) + ProtobufWriter.size(10, isLearner)
            + ProtobufWriter.size(12, dbSizeQuota)
        return numbers + ProtobufWriter.size(2, version) + ProtobufWriter.size(8, elements: errors)
            + ProtobufWriter.size(11, storageVersion) + ProtobufWriter.size(13, bytes: downgradeSize)
    }

    package func encodeFields(to writer: inout ProtobufWriter) {
        writer.field(2, version)
        writer.field(3, dbSize)
        writer.field(4, leader)
        writer.field(5, raftIndex)
        writer.field(6, raftTerm)
        writer.field(7, raftAppliedIndex)
        writer.elements(8, errors)
        writer.field(9, dbSizeInUse)
        writer.field(10, isLearner)
        writer.field(11, storageVersion)
        writer.field(12, dbSizeQuota)
        // Always there, mostly empty.
        writer.prefix(13, bytes: downgradeSize)
        writer.field(1, downgradeEnabled)
        writer.field(2, downgradeTarget)
    }
}
