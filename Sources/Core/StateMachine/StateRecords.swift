internal import StrakeLeases
internal import StrakeModel
internal import StrakeRaft

/// Keys and encodings of the state machine's own rows in the state table. Numbers are big-endian.
enum StateRecords {
    static let leasePrefix = Array("lease/".utf8)
    static let alarmPrefix = Array("alarm/".utf8)
    static let memberPrefix = Array("member/".utf8)
    static let configurationKey = Array("raft/configuration".utf8)

    static func leaseKey(_ id: LeaseID) -> [UInt8] { leasePrefix + LeaseRecord.key(id) }

    /// An alarm is all key: member (8 bytes) and number (4 bytes).
    static func alarmKey(_ alarm: AlarmMember) -> [UInt8] {
        alarmPrefix + bytes(alarm.member) + bytes(UInt32(bitPattern: alarm.alarm))
    }

    static func alarm(fromKey key: UnsafeRawBufferPointer) -> AlarmMember? {
        guard key.count == alarmPrefix.count + 12 else { return nil }
        let member: UInt64 = number(key, at: alarmPrefix.count)
        let alarm: UInt32 = number(key, at: alarmPrefix.count + 8)
        return AlarmMember(member: member, alarm: Int32(bitPattern: alarm))
    }

    static func memberKey(_ id: UInt64) -> [UInt8] { memberPrefix + bytes(id) }

    /// A member is encoded as the command that sets it, so there is one encoding to know.
    static func member(_ attributes: MemberAttributes) -> [UInt8] {
        ProposedCommand(id: ProposalID(rawValue: 0), command: .setMember(attributes)).encoded()
    }

    static func member(from value: UnsafeRawBufferPointer) -> MemberAttributes? {
        guard let proposed = try? ProposedCommand(decoding: value), case .setMember(let attributes) = proposed.command
        else { return nil }
        return attributes
    }

    /// Four lists of member ids, each behind its count (4 bytes), then one byte for `autoLeave`.
    static func configuration(_ configuration: Configuration) -> [UInt8] {
        var out: [UInt8] = []
        for list in [
            configuration.voters, configuration.outgoing, configuration.learners, configuration.learnersNext,
        ] {
            out += bytes(UInt32(list.count))
            for member in list { out += bytes(member.rawValue) }
        }
        out.append(configuration.autoLeave ? 1 : 0)
        return out
    }

    static func configuration(from value: [UInt8]) -> Configuration? {
        value.withUnsafeBytes { raw in
            var offset = 0
            var lists: [[MemberID]] = []
            for _ in 0..<4 {
                guard offset + 4 <= raw.count else { return nil }
                let count: UInt32 = number(raw, at: offset)
                offset += 4
                guard (raw.count - offset) / 8 >= Int(count) else { return nil }
                lists.append((0..<Int(count)).map { MemberID(rawValue: number(raw, at: offset + $0 * 8)) })
                offset += Int(count) * 8
            }
            guard raw.count == offset + 1 else { return nil }
            return Configuration(
                voters: lists[0], outgoing: lists[1], learners: lists[2], learnersNext: lists[3],
                autoLeave: raw[offset] == 1)
        }
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func number<T: FixedWidthInteger>(_ raw: UnsafeRawBufferPointer, at offset: Int) -> T {
        T(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}
