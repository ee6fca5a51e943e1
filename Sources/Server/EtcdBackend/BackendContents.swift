package import StrakeAuth
package import StrakeBolt
internal import StrakeEtcdWire
package import StrakeLeases
package import StrakeMVCC
internal import StrakeModel
package import StrakeStateMachine

/// Why a file is not the state of an etcd.
package enum BackendError: Error, Sendable, CustomStringConvertible {
    case file(BoltError)
    case noBucket(String)
    /// An entry that no etcd writes, in bytes as they are.
    case malformed(bucket: String, key: [UInt8])

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .noBucket(let name): "it has no bucket named \(name): it is not the database of an etcd server"
        case .malformed(let bucket, let key):
            "an entry of the bucket \(bucket) cannot be read; its key has the bytes "
                + key.map { String($0, radix: 16) }.joined(separator: " ")
        }
    }
}

/// The state in a file that an etcd server, or a snapshot of ours, has it in.
package struct BackendContents {
    /// Revisions are below it: above any that a store comes to, and far from where numbers end.
    package static let revisionMax: Int64 = 1 << 62
    /// Indexes and terms of the log are below it.
    static let indexMax: UInt64 = 1 << 62

    package private(set) var leases: [Lease] = []
    package private(set) var alarms: [AlarmMember] = []
    /// Zero: never compacted.
    package private(set) var compactRevision: Int64 = 0
    /// How far what lies below a compact revision is gone.
    package private(set) var compacted: Int64 = 0
    package private(set) var auth = AuthStore()
    /// The last entry of the log that the file has; zero when it does not say.
    package private(set) var consistentIndex: UInt64 = 0
    /// The highest that the file speaks of; zero when it does not say, as an etcd's before 3.5.
    package private(set) var term: UInt64 = 0
    /// Of the cluster that it comes from.
    package private(set) var members = EtcdMembers()

    private let reader: BoltReader
    private let keys: BoltBucket

    package init(_ reader: BoltReader) throws(BackendError) {
        self.reader = reader
        guard let keys = try Self.read({ () throws(BoltError) in try reader.bucket(BackendBucket.key.name) }) else {
            throw .noBucket(BackendBucket.key.rawValue)
        }
        self.keys = keys
        try Self.forEach(.lease, reader) { key, value in
            guard let stored = try? StoredLease(protobuf: value), stored.id != .none, stored.ttl > 0,
                stored.ttl <= LeaseTTL.max, key.elementsEqual(BackendRecords.bytes(stored.id.rawValue))
            else { return nil }
            let remaining = stored.remaining > 0 ? stored.remaining : stored.ttl
            return Lease(id: stored.id, ttl: stored.ttl, remaining: remaining)
        } take: {
            leases.append($0)
        }
        try Self.forEach(.alarm, reader) { key, _ in
            (try? StoredAlarm(protobuf: key)).map { AlarmMember(member: $0.memberID, alarm: $0.alarm) }
        } take: {
            alarms.append($0)
        }
        try Self.forEach(.meta, reader) { key, value -> (MetaKey, Int64)? in
            guard let name = MetaKey(rawValue: String(decoding: key, as: UTF8.self)),
                name == .scheduledCompaction || name == .finishedCompaction
            else { return (.term, 0) }
            return BackendRecords.revision(value).map { (name, $0.revision.main) }
        } take: { name, main in
            if name == .finishedCompaction { compacted = main }
            compactRevision = max(compactRevision, main)
        }
        try readCluster()
        auth = try Self.auth(in: reader)
    }

    private static func auth(in reader: BoltReader) throws(BackendError) -> AuthStore {
        var (isEnabled, revision) = (false, AuthStore.firstRevision)
        var (users, roles): ([User], [Role]) = ([], [])
        try forEach(.auth, reader) { key, value in
            BackendRecords.authHead(key, value)
        } take: { item in
            switch item {
            case .enabled(let enabled): isEnabled = enabled
            case .revision(let number): revision = number
            case .other: break
            }
        }
        try forEach(.authUsers, reader) { key, value in
            BackendRecords.user(key, value)
        } take: {
            users.append($0)
        }
        try forEach(.authRoles, reader) { key, value in
            BackendRecords.role(key, value)
        } take: {
            roles.append($0)
        }
        return AuthStore(isEnabled: isEnabled, revision: revision, users: users, roles: roles)
    }

    private mutating func readCluster() throws(BackendError) {
        try Self.forEach(.meta, reader) { key, value -> (MetaKey, UInt64)? in
            let name = MetaKey(rawValue: String(decoding: key, as: UTF8.self))
            guard name == .consistentIndex || name == .term else { return (.confState, 0) }
            guard let name, value.count == 8 else { return nil }
            let number = UInt64(bigEndian: value.loadUnaligned(as: UInt64.self))
            return number < Self.indexMax ? (name, number) : nil
        } take: { name, number in
            if name == .consistentIndex { consistentIndex = number }
            if name == .term { term = number }
        }
        try Self.forEach(.members, reader) { key, value in
            EtcdMember(json: value).flatMap { $0.attributes.id == Self.memberID(key) ? $0 : nil }
        } take: {
            members.add($0)
        }
        try Self.forEach(.membersRemoved, reader) { key, _ in
            Self.memberID(key)
        } take: {
            members.addRemoved($0)
        }
    }

    private static func memberID(_ key: UnsafeRawBufferPointer) -> UInt64? {
        let id = UInt64(String(decoding: key, as: UTF8.self), radix: 16)
        return id == 0 ? nil : id
    }

    /// Lends the events in the order of their revisions, until `body` returns false.
    package func forEachEvent(_ body: (ImportedEvent) -> Bool) throws(BackendError) {
        var bad: [UInt8]?
        try Self.read { () throws(BoltError) in
            try reader.forEach(in: keys) { entry throws(BoltError) in
                guard let event = Self.event(entry.key, entry.value) else {
                    bad = Array(entry.key)
                    return false
                }
                return body(event)
            }
        }
        if let bad { throw .malformed(bucket: BackendBucket.key.rawValue, key: bad) }
    }

    private static func event(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> ImportedEvent? {
        guard let (revision, isTombstone) = BackendRecords.revision(key),
            let stored = try? StoredKeyValue(protobuf: value)
        else { return nil }
        // A revision that etcdutl has moved on has an entry without a key.
        let isFit =
            isTombstone || stored.keyValue.key.isEmpty
            || (stored.keyValue.modRevision == revision.main && (1...revision.main).contains(stored.keyValue.version)
                && (1...revision.main).contains(stored.keyValue.createRevision))
        return isFit ? ImportedEvent(revision: revision, isTombstone: isTombstone, keyValue: stored.keyValue) : nil
    }

    /// Reads a bucket that need not be there.
    private static func forEach<Item>(
        _ bucket: BackendBucket, _ reader: BoltReader,
        _ decode: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Item?,
        take: (Item) -> Void
    ) throws(BackendError) {
        var bad: [UInt8]?
        try read { () throws(BoltError) in
            guard let found = try reader.bucket(bucket.name) else { return }
            try reader.forEach(in: found) { entry throws(BoltError) in
                guard let item = decode(entry.key, entry.value) else {
                    bad = Array(entry.key)
                    return false
                }
                take(item)
                return true
            }
        }
        if let bad { throw .malformed(bucket: bucket.rawValue, key: bad) }
    }

    private static func read<R>(_ body: () throws(BoltError) -> R) throws(BackendError) -> R {
        do throws(BoltError) { return try body() } catch { throw .file(error) }
    }
}
