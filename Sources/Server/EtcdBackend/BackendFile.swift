internal import StrakeAuth
internal import StrakeBolt
internal import StrakeChecksum
internal import StrakeEtcdWire
internal import StrakeLeases
package import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
package import StrakeStateMachine
internal import StrakeTables

/// A state as the file that etcd would keep it in, with the checksum that ends etcd's snapshots, front to back.
///
/// It is read twice: what stands in front says how large the file is. The first time only sizes are read. A change
/// between the two cannot be: what is read is the history at one revision, which is held.
package struct BackendFile: Sendable {
    /// Bytes of events that a step reads, about.
    private static let stepBytes = 256 << 10
    /// Of headers and keys, where values are not read.
    private static let countingBytes = 1 << 20

    private enum Phase {
        case counting
        case writing
        case ending
        case ended
    }

    private let backup: StateBackup
    private var phase = Phase.counting
    private var writer = BoltWriter.counting()
    private var history: HistoryTransfer
    private var checksum = SHA256()
    /// Bytes of the file, without the checksum; zero until it is known.
    package private(set) var fileBytes: UInt64 = 0
    private var pending: ArraySlice<UInt8> = []

    package init(_ backup: StateBackup) {
        self.backup = backup
        history = backup.history
        begin()
    }

    /// Finds out how large the file is, a step at a time.
    ///
    /// - Returns: False while there is more to do. After that `next` gives the file.
    package mutating func count() throws(MVCCError) -> Bool {
        guard case .counting = phase else { return true }
        for header in try history.nextHeaders(byteBudget: Self.countingBytes) {
            let key = BackendRecords.revisionKey(header.revision, isTombstone: header.isTombstone)
            writer.count(key, valueCount: BackendRecords.fields(header).messageSize)
        }
        guard history.isAtEnd else { return false }
        end()
        let plan = writer.finish()
        fileBytes = plan.fileBytes
        writer = BoltWriter(plan)
        history = backup.history
        phase = .writing
        begin()
        return true
    }

    /// The next bytes, `bytesMax` of them but for the last; at the end the checksum by itself, then nil.
    package mutating func next(bytesMax: Int) throws(MVCCError) -> [UInt8]? {
        if case .counting = phase { preconditionFailure("the file was not counted") }
        while pending.count < bytesMax, case .writing = phase {
            try write()
            pending += writer.take()
        }
        switch phase {
        case .counting, .ended: return nil
        case .ending where pending.isEmpty:
            phase = .ended
            return checksum.value
        case .writing, .ending:
            let bytes = Array(pending.prefix(bytesMax))
            pending = pending.dropFirst(bytesMax)
            checksum.add(bytes)
            return bytes
        }
    }

    private mutating func write() throws(MVCCError) {
        for event in try history.next(byteBudget: Self.stepBytes) {
            let key = BackendRecords.revisionKey(event.header.revision, isTombstone: event.header.isTombstone)
            writer.add(key, BackendRecords.value(event))
        }
        guard history.isAtEnd else { return }
        end()
        _ = writer.finish()
        phase = .ending
    }

    /// The buckets in front of the keys, and the keys' begun.
    private mutating func begin() {
        for bucket in BackendBucket.allCases {
            writer.beginBucket(bucket.name)
            if bucket == .key { return }
            addEntries(of: bucket)
            writer.endBucket()
        }
    }

    /// The keys' bucket ended, and those behind it.
    private mutating func end() {
        writer.endBucket()
        for bucket in BackendBucket.allCases.drop(while: { $0 != .key }).dropFirst() {
            writer.beginBucket(bucket.name)
            addEntries(of: bucket)
            writer.endBucket()
        }
    }

    /// Of a bucket other than the keys'. Where one has none it is there all the same, as in etcd's own file.
    private mutating func addEntries(of bucket: BackendBucket) {
        switch bucket {
        case .alarm:
            add(backup.alarms.map(BackendRecords.alarm))
        case .lease:
            for lease in backup.leases where lease.id.rawValue >= 0 { add([BackendRecords.lease(lease)]) }
            // Behind the others as numbers without a sign.
            for lease in backup.leases where lease.id.rawValue < 0 { add([BackendRecords.lease(lease)]) }
        case .members:
            let learners = backup.metadata.configuration.learners.map(\.rawValue)
            add(backup.members.map { BackendRecords.member($0, isLearner: learners.contains($0.id)) })
        case .meta:
            add(BackendRecords.meta(backup))
        case .auth: add(BackendRecords.authHead(backup.auth))
        case .authRoles: add(backup.auth.allRoles.map(BackendRecords.role))
        case .authUsers: add(backup.auth.allUsers.map(BackendRecords.user))
        case .membersRemoved: break
        // Its version would bind whoever starts from the file: servers refuse a cluster of a later version than theirs.
        // Without one a cluster that is restored finds its version by itself, as a new one does.
        case .cluster: break
        case .key: preconditionFailure("the keys come by themselves")
        }
    }

    private mutating func add(_ entries: [BackendEntry]) {
        for entry in entries.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            writer.add(entry.key, entry.value)
        }
    }
}
