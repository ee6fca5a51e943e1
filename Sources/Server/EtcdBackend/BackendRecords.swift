internal import StrakeEtcdWire
internal import StrakeLeases
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
internal import StrakeStateMachine
internal import StrakeTables

typealias BackendEntry = (key: [UInt8], value: [UInt8])

/// What stands in the buckets, byte for byte.
enum BackendRecords {
    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    static func revisionKey(_ revision: Revision, isTombstone: Bool = false) -> [UInt8] {
        var key = bytes(revision.main)
        key.reserveCapacity(18)
        key.append(UInt8(ascii: "_"))
        key += bytes(Int64(revision.sub))
        if isTombstone { key.append(UInt8(ascii: "t")) }
        return key
    }

    /// What `revisionKey` made; nil when it was something else.
    static func revision(_ key: UnsafeRawBufferPointer) -> (revision: Revision, isTombstone: Bool)? {
        guard key.count == 17 || key.count == 18 && key[17] == UInt8(ascii: "t"), key[8] == UInt8(ascii: "_") else {
            return nil
        }
        let main = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 0, as: Int64.self))
        let sub = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 9, as: Int64.self))
        guard main > 0, main < BackendContents.revisionMax, sub >= 0, let number = Int32(exactly: sub) else {
            return nil
        }
        return (Revision(main: main, sub: number), key.count == 18)
    }

    /// The fields of an event's value.
    static func fields(_ header: EventHeader) -> KeyValueFields {
        if header.isTombstone {
            return KeyValueFields(
                keyCount: header.keyCount, valueCount: 0, createRevision: 0, modRevision: 0, version: 0, lease: .none)
        }
        return KeyValueFields(
            keyCount: header.keyCount, valueCount: header.valueCount, createRevision: header.createRevision,
            modRevision: header.revision.main, version: header.version, lease: header.lease)
    }

    static func value(_ event: EventRecord) -> [UInt8] {
        let fields = fields(event.header)
        return event.key.withUnsafeBytes { key in
            event.value.withUnsafeBytes { fields.encodedMessage(key: key, value: $0) }
        }
    }

    static func lease(_ lease: Lease) -> BackendEntry {
        // What is left is written down only where it is less than the whole.
        let remaining = lease.remaining < lease.ttl ? lease.remaining : 0
        return (bytes(lease.id.rawValue), StoredLease(id: lease.id, ttl: lease.ttl, remaining: remaining).encoded())
    }

    static func alarm(_ alarm: AlarmMember) -> BackendEntry {
        (StoredAlarm(memberID: alarm.member, alarm: alarm.alarm).encoded(), [])
    }

    static func member(_ member: MemberAttributes, isLearner: Bool) -> BackendEntry {
        var fields = ["\"id\":\(member.id)", "\"peerURLs\":\(JSONText.list(member.peerURLs))"]
        if isLearner { fields.append("\"isLearner\":true") }
        if !member.name.isEmpty { fields.append("\"name\":\(JSONText.string(member.name))") }
        if !member.clientURLs.isEmpty { fields.append("\"clientURLs\":\(JSONText.list(member.clientURLs))") }
        return (Array(String(member.id, radix: 16).utf8), Array("{\(fields.joined(separator: ","))}".utf8))
    }

    static func configuration(_ configuration: Configuration) -> [UInt8] {
        let lists = [
            ("voters", configuration.voters), ("learners", configuration.learners),
            ("voters_outgoing", configuration.outgoing), ("learners_next", configuration.learnersNext),
        ]
        var fields = lists.filter { !$0.1.isEmpty }.map { name, members in
            "\"\(name)\":[\(members.map { String($0.rawValue) }.joined(separator: ","))]"
        }
        fields.append("\"auto_leave\":\(configuration.autoLeave)")
        return Array("{\(fields.joined(separator: ","))}".utf8)
    }

    /// Bucket `meta`, in order.
    static func meta(_ backup: StateBackup) -> [BackendEntry] {
        let last = backup.metadata.last
        let compaction = revisionKey(Revision(main: backup.history.compactRevision))
        return MetaKey.allCases.compactMap { key in
            switch key {
            case .confState: (key.name, configuration(backup.metadata.configuration))
            case .consistentIndex: (key.name, bytes(last.index.rawValue))
            // Of a store that was never compacted etcd has neither.
            case .finishedCompaction, .scheduledCompaction:
                backup.history.compactRevision == 0 ? nil : (key.name, compaction)
            case .term: (key.name, bytes(last.term.rawValue))
            }
        }
    }
}

/// Text in JSON as Go writes it.
enum JSONText {
    static func list(_ texts: [String]) -> String { "[\(texts.map(string).joined(separator: ","))]" }

    static func string(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "<", ">", "&", "\u{0}"..<" ", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
