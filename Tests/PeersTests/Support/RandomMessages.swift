internal import StrakeRaft
internal import StrakeSeededGenerator

/// Messages of every kind with any content that raft can give them.
enum RandomMessages {
    static let kinds = 13

    static func message(kind: Int, _ random: inout SeededGenerator) -> Message {
        let term = number(&random)
        return Message(
            from: MemberID(rawValue: 1), to: MemberID(rawValue: 2), term: Term(rawValue: term),
            body: body(kind, term: term, &random))
    }

    static func message(_ random: inout SeededGenerator) -> Message {
        message(kind: random.below(kinds), &random)
    }

    private static func body(_ kind: Int, term: UInt64, _ random: inout SeededGenerator) -> Message.Body {
        switch kind {
        case 0:
            return .requestVote(
                .init(ballot: ballot(&random), last: entryID(&random), isTransfer: Bool.random(using: &random)))
        case 1:
            let (ballot, granted) = (ballot(&random), Bool.random(using: &random))
            return .vote(.init(ballot: ballot, granted: granted, committed: entryID(&random)))
        case 2: return .append(append(term: term, &random))
        case 3:
            let result: Message.AppendAnswer.Result =
                Bool.random(using: &random)
                ? .accepted(through: index(&random)) : .rejected(at: index(&random), hint: entryID(&random))
            return .appendResponse(.init(result: result, committed: index(&random)))
        case 4: return .heartbeat(.init(committed: index(&random), round: random.next()))
        case 5: return .heartbeatResponse(.init(round: random.next(), committed: index(&random)))
        case 6: return .snapshot(metadata(&random))
        case 7: return .timeoutNow
        case 8: return .propose((0..<random.below(5)).map { _ in proposal(&random) }, batch(&random))
        case 9: return .readIndex(context: random.next())
        case 10: return .readIndexResponse(context: random.next(), index: index(&random))
        case 11: return .transferLeadership(to: member(&random))
        default: return .proposeRefused(batch(&random), random.chance(50) ? .overloaded : .leaving)
        }
    }

    private static func batch(_ random: inout SeededGenerator) -> BatchID {
        BatchID(session: random.next(), number: random.next())
    }

    static func metadata(_ random: inout SeededGenerator) -> SnapshotMetadata {
        SnapshotMetadata(
            last: entryID(&random),
            configuration: Configuration(
                voters: members(&random), outgoing: members(&random), learners: members(&random),
                learnersNext: members(&random), autoLeave: Bool.random(using: &random)))
    }

    private static func append(term: UInt64, _ random: inout SeededGenerator) -> Message.Append {
        var last = EntryID(
            term: Term(rawValue: UInt64.random(in: 0...term, using: &random)),
            index: LogIndex(rawValue: number(&random) / 2))
        let previous = last
        let entries = (0..<random.below(6)).map { _ in
            last = EntryID(
                term: Term(rawValue: UInt64.random(in: last.term.rawValue...term, using: &random)),
                index: last.index + 1)
            let kind = Entry.Kind(rawValue: UInt8(random.below(3)))!
            return Entry(id: last, kind: kind, data: random.bytes(upTo: 40))
        }
        return Message.Append(previous: previous, entries: entries, committed: index(&random))
    }

    private static func proposal(_ random: inout SeededGenerator) -> Proposal {
        if Bool.random(using: &random) { return .command(random.bytes(upTo: 40)) }
        let steps: [ConfigurationChange.Step] = (0..<random.below(4)).map { _ in
            switch random.below(4) {
            case 0: .addVoter(member(&random))
            case 1: .addLearner(member(&random))
            case 2: .remove(member(&random))
            default: .update(member(&random))
            }
        }
        let transition = ConfigurationChange.Transition(rawValue: UInt8(random.below(3)))!
        return .configuration(
            ConfigurationChange(steps, transition: transition, context: random.bytes(upTo: 20)))
    }

    /// Small ones more often: there are edges at 0.
    private static func number(_ random: inout SeededGenerator) -> UInt64 {
        switch random.below(4) {
        case 0: UInt64(random.below(3))
        case 1: UInt64(Int64.max)
        default: random.next() >> UInt64(1 + random.below(63))
        }
    }

    private static func index(_ random: inout SeededGenerator) -> LogIndex { LogIndex(rawValue: number(&random)) }

    private static func entryID(_ random: inout SeededGenerator) -> EntryID {
        EntryID(term: Term(rawValue: number(&random)), index: index(&random))
    }

    private static func member(_ random: inout SeededGenerator) -> MemberID {
        MemberID(rawValue: UInt64.random(in: 1...UInt64.max, using: &random))
    }

    private static func members(_ random: inout SeededGenerator) -> [MemberID] {
        Set((0..<random.below(5)).map { _ in member(&random) }).sorted()
    }

    private static func ballot(_ random: inout SeededGenerator) -> Message.Ballot {
        Bool.random(using: &random) ? .vote : .preVote
    }
}
