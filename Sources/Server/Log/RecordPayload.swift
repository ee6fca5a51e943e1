internal import StrakeRaft

/// The payloads, read back. Each refuses a length that its coder never writes.
enum RecordPayload {
    static let entryIDBytes = 16
    static let hardStateBytes = 24

    static func entryID(_ payload: UnsafeRawBufferPointer) throws(LogCorruption.Problem) -> EntryID {
        guard payload.count >= entryIDBytes else { throw .content("a record is too short for a term and an index") }
        return EntryID(
            term: Term(rawValue: payload.integer(at: 0, as: UInt64.self)),
            index: LogIndex(rawValue: payload.integer(at: 8, as: UInt64.self)))
    }

    static func entry(
        _ payload: UnsafeRawBufferPointer, kind: UInt8
    ) throws(LogCorruption.Problem) -> Entry {
        let id = try entryID(payload)
        guard let kind = Entry.Kind(rawValue: kind) else { throw .content("entry \(id) is of unknown kind \(kind)") }
        return Entry(id: id, kind: kind, data: [UInt8](payload.slice(entryIDBytes..<payload.count)))
    }

    static func hardState(_ payload: UnsafeRawBufferPointer) throws(LogCorruption.Problem) -> HardState {
        guard payload.count == hardStateBytes else { throw .content("a hard state record has a wrong length") }
        let vote = payload.integer(at: 8, as: UInt64.self)
        return HardState(
            term: Term(rawValue: payload.integer(at: 0, as: UInt64.self)),
            vote: vote == 0 ? nil : MemberID(rawValue: vote),
            committed: LogIndex(rawValue: payload.integer(at: 16, as: UInt64.self)))
    }

    static func snapshot(_ payload: UnsafeRawBufferPointer) throws(LogCorruption.Problem) -> SnapshotMetadata {
        let last = try entryID(payload)
        var offset = entryIDBytes
        guard payload.count > offset, payload[offset] <= 1 else { throw .content("a snapshot record is malformed") }
        let autoLeave = payload[offset] == 1
        offset += 1
        let voters = try members(payload, &offset)
        let outgoing = try members(payload, &offset)
        let learners = try members(payload, &offset)
        let learnersNext = try members(payload, &offset)
        guard offset == payload.count else { throw .content("a snapshot record is malformed") }
        return SnapshotMetadata(
            last: last,
            configuration: Configuration(
                voters: voters, outgoing: outgoing, learners: learners, learnersNext: learnersNext,
                autoLeave: autoLeave))
    }

    /// The snapshot record's payload. It is rare, so an array will do.
    static func encode(_ snapshot: SnapshotMetadata) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        add(snapshot.last.term.rawValue)
        add(snapshot.last.index.rawValue)
        let configuration = snapshot.configuration
        add(UInt8(configuration.autoLeave ? 1 : 0))
        let lists = [
            configuration.voters, configuration.outgoing, configuration.learners, configuration.learnersNext,
        ]
        for list in lists {
            add(UInt32(list.count))
            for member in list { add(member.rawValue) }
        }
        return bytes
    }

    private static func members(
        _ payload: UnsafeRawBufferPointer, _ offset: inout Int
    ) throws(LogCorruption.Problem) -> [MemberID] {
        guard payload.count - offset >= 4 else { throw .content("a snapshot record is malformed") }
        let count = Int(payload.integer(at: offset, as: UInt32.self))
        offset += 4
        guard payload.count - offset >= count * 8 else { throw .content("a snapshot record is malformed") }
        var members: [MemberID] = []
        for _ in 0..<count {
            members.append(MemberID(rawValue: payload.integer(at: offset, as: UInt64.self)))
            offset += 8
        }
        return members
    }
}
