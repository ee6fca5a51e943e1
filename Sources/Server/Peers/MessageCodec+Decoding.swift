package import StrakeRaft

extension MessageCodec {
    /// Reads a message to its end. What raft would stop at, such as terms that fall along the entries, is refused here.
    package static func decode(
        _ reader: inout ByteReader, from: MemberID, to: MemberID
    ) throws(PeerProtocolError) -> Message {
        let term = Term(rawValue: try number(&reader, "term"))
        guard let kind = Kind(rawValue: try reader.integer(UInt8.self)) else { throw .malformed("message kind") }
        let body = try decodeBody(kind, term: term, &reader)
        try reader.requireEnd()
        return Message(from: from, to: to, term: term, body: body)
    }

    private static func decodeBody(
        _ kind: Kind, term: Term, _ reader: inout ByteReader
    ) throws(PeerProtocolError) -> Message.Body {
        switch kind {
        case .requestVote:
            let (ballot, isTransfer) = (try ballot(&reader), try reader.flag("transfer mark"))
            return .requestVote(.init(ballot: ballot, last: try entryID(&reader), isTransfer: isTransfer))
        case .vote:
            let (ballot, granted) = (try ballot(&reader), try reader.flag("vote"))
            return .vote(.init(ballot: ballot, granted: granted, committed: try entryID(&reader)))
        case .append:
            return .append(try append(term: term, &reader))
        case .appendResponse:
            return .appendResponse(try appendAnswer(&reader))
        case .heartbeat:
            let committed = try index(&reader)
            return .heartbeat(.init(committed: committed, round: try reader.integer(UInt64.self)))
        case .heartbeatResponse:
            let committed = try index(&reader)
            return .heartbeatResponse(.init(round: try reader.integer(UInt64.self), committed: committed))
        case .snapshot:
            return .snapshot(try metadata(&reader))
        case .timeoutNow:
            return .timeoutNow
        case .propose:
            let batch = try batch(&reader)
            return .propose(try proposals(&reader), batch)
        case .proposeRefused:
            let batch = try batch(&reader)
            guard let refusal = BatchRefusal(rawValue: try reader.integer(UInt8.self)) else {
                throw .malformed("refusal of proposals")
            }
            return .proposeRefused(batch, refusal)
        case .readIndex:
            return .readIndex(context: try reader.integer(UInt64.self))
        case .readIndexResponse:
            return .readIndexResponse(context: try reader.integer(UInt64.self), index: try index(&reader))
        case .transferLeadership:
            return .transferLeadership(to: try member(&reader))
        }
    }

    private static func append(
        term: Term, _ reader: inout ByteReader
    ) throws(PeerProtocolError) -> Message.Append {
        let previous = try entryID(&reader)
        let committed = try index(&reader)
        let count = try reader.count(each: entryHeadBytes)
        guard UInt64(count) <= numberMax - previous.index.rawValue else { throw .malformed("index") }
        var last = previous
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            guard let kind = Entry.Kind(rawValue: try reader.integer(UInt8.self)) else {
                throw .malformed("entry kind")
            }
            let entryTerm = Term(rawValue: try number(&reader, "term"))
            // Terms never fall along a log, and a leader's log has none above its own.
            guard entryTerm >= last.term, entryTerm <= term else { throw .malformed("entry term") }
            last = EntryID(term: entryTerm, index: last.index + 1)
            let length = Int(try reader.integer(UInt32.self))
            entries.append(Entry(id: last, kind: kind, data: try reader.array(length)))
        }
        return Message.Append(previous: previous, entries: entries, committed: committed)
    }

    private static func appendAnswer(_ reader: inout ByteReader) throws(PeerProtocolError) -> Message.AppendAnswer {
        guard let kind = AppendResultKind(rawValue: try reader.integer(UInt8.self)) else {
            throw .malformed("append result")
        }
        let place = try index(&reader)
        let result: Message.AppendAnswer.Result =
            switch kind {
            case .accepted: .accepted(through: place)
            case .rejected: .rejected(at: place, hint: try entryID(&reader))
            }
        return Message.AppendAnswer(result: result, committed: try index(&reader))
    }

    private static func batch(_ reader: inout ByteReader) throws(PeerProtocolError) -> BatchID {
        BatchID(session: try reader.integer(UInt64.self), number: try reader.integer(UInt64.self))
    }

    private static func proposals(_ reader: inout ByteReader) throws(PeerProtocolError) -> [Proposal] {
        let count = try reader.count(each: proposalHeadBytes)
        var proposals: [Proposal] = []
        proposals.reserveCapacity(count)
        for _ in 0..<count {
            guard let kind = ProposalKind(rawValue: try reader.integer(UInt8.self)) else {
                throw .malformed("proposal kind")
            }
            let data = try reader.array(Int(try reader.integer(UInt32.self)))
            switch kind {
            case .command: proposals.append(.command(data))
            case .configuration:
                guard let change = ConfigurationChange(decoding: data) else {
                    throw .malformed("configuration change")
                }
                proposals.append(.configuration(change))
            }
        }
        return proposals
    }

    /// A snapshot's metadata, to the reader's end or not.
    package static func metadata(_ reader: inout ByteReader) throws(PeerProtocolError) -> SnapshotMetadata {
        let last = try entryID(&reader)
        let autoLeave = try reader.flag("joint configuration")
        return SnapshotMetadata(
            last: last,
            configuration: Configuration(
                voters: try members(&reader), outgoing: try members(&reader), learners: try members(&reader),
                learnersNext: try members(&reader), autoLeave: autoLeave))
    }

    private static func members(_ reader: inout ByteReader) throws(PeerProtocolError) -> [MemberID] {
        let count = try reader.count(each: 8)
        var members: [MemberID] = []
        members.reserveCapacity(count)
        for _ in 0..<count {
            let member = try member(&reader)
            if let last = members.last, last >= member { throw .malformed("order of members") }
            members.append(member)
        }
        return members
    }

    private static func member(_ reader: inout ByteReader) throws(PeerProtocolError) -> MemberID {
        let value = try reader.integer(UInt64.self)
        guard value != 0 else { throw .malformed("member") }
        return MemberID(rawValue: value)
    }

    private static func ballot(_ reader: inout ByteReader) throws(PeerProtocolError) -> Message.Ballot {
        guard let ballot = Message.Ballot(rawValue: try reader.integer(UInt8.self)) else { throw .malformed("ballot") }
        return ballot
    }

    private static func entryID(_ reader: inout ByteReader) throws(PeerProtocolError) -> EntryID {
        EntryID(term: Term(rawValue: try number(&reader, "term")), index: try index(&reader))
    }

    private static func index(_ reader: inout ByteReader) throws(PeerProtocolError) -> LogIndex {
        LogIndex(rawValue: try number(&reader, "index"))
    }

    private static func number(
        _ reader: inout ByteReader, _ field: StaticString
    ) throws(PeerProtocolError) -> UInt64 {
        let value = try reader.integer(UInt64.self)
        guard value <= numberMax else { throw .malformed(field) }
        return value
    }
}
