package import StrakeRaft

extension MessageCodec {
    package static func encodedSize(_ message: Message) -> Int {
        let body =
            switch message.body {
            case .requestVote, .vote: 2 + entryIDBytes
            case .append(let append):
                append.entries.reduce(entryIDBytes + 12) { $0 + entryHeadBytes + $1.data.count }
            case .appendResponse(let answer):
                switch answer.result {
                case .accepted: 1 + 8 + 8
                case .rejected: 1 + 8 + entryIDBytes + 8
                }
            case .heartbeat, .heartbeatResponse, .readIndexResponse: 16
            case .snapshot(let metadata): encodedSize(metadata)
            case .timeoutNow: 0
            case .propose(let proposals, _):
                proposals.reduce(batchBytes + 4) { $0 + proposalHeadBytes + encodedSize($1) }
            case .proposeRefused: batchBytes + 1
            case .readIndex, .transferLeadership: 8
            }
        return headBytes + body
    }

    private static func encodedSize(_ proposal: Proposal) -> Int {
        switch proposal {
        case .command(let data): data.count
        case .configuration(let change): change.encoded().count
        }
    }

    package static func encode(_ message: Message, to writer: inout ByteWriter) {
        writer.add(message.term.rawValue)
        switch message.body {
        case .requestVote(let request):
            writer.add(Kind.requestVote.rawValue)
            writer.add(request.ballot.rawValue)
            writer.add(request.isTransfer)
            add(request.last, to: &writer)
        case .vote(let answer):
            writer.add(Kind.vote.rawValue)
            writer.add(answer.ballot.rawValue)
            writer.add(answer.granted)
            add(answer.committed, to: &writer)
        case .append(let append):
            writer.add(Kind.append.rawValue)
            add(append, to: &writer)
        case .appendResponse(let answer):
            writer.add(Kind.appendResponse.rawValue)
            add(answer, to: &writer)
        case .heartbeat(let heartbeat):
            writer.add(Kind.heartbeat.rawValue)
            writer.add(heartbeat.committed.rawValue)
            writer.add(heartbeat.round)
        case .heartbeatResponse(let answer):
            writer.add(Kind.heartbeatResponse.rawValue)
            writer.add(answer.committed.rawValue)
            writer.add(answer.round)
        case .snapshot(let metadata):
            writer.add(Kind.snapshot.rawValue)
            encode(metadata, to: &writer)
        case .timeoutNow:
            writer.add(Kind.timeoutNow.rawValue)
        case .propose(let proposals, let batch):
            writer.add(Kind.propose.rawValue)
            add(batch, to: &writer)
            add(proposals, to: &writer)
        case .proposeRefused(let batch, let refusal):
            writer.add(Kind.proposeRefused.rawValue)
            add(batch, to: &writer)
            writer.add(refusal.rawValue)
        case .readIndex(let context):
            writer.add(Kind.readIndex.rawValue)
            writer.add(context)
        case .readIndexResponse(let context, let index):
            writer.add(Kind.readIndexResponse.rawValue)
            writer.add(context)
            writer.add(index.rawValue)
        case .transferLeadership(let member):
            writer.add(Kind.transferLeadership.rawValue)
            writer.add(member.rawValue)
        }
    }

    /// previous | committed u64 | count u32 | count times: kind u8, term u64, length u32, data.
    private static func add(_ append: Message.Append, to writer: inout ByteWriter) {
        add(append.previous, to: &writer)
        writer.add(append.committed.rawValue)
        writer.add(UInt32(append.entries.count))
        var index = append.previous.index
        for entry in append.entries {
            index = index + 1
            precondition(entry.index == index, "entry \(entry.id) where \(index) follows")
            writer.add(entry.kind.rawValue)
            writer.add(entry.term.rawValue)
            writer.add(UInt32(entry.data.count))
            writer.add(entry.data)
        }
    }

    /// 0 | through u64 | committed u64, or 1 | at u64 | hint | committed u64.
    private static func add(_ answer: Message.AppendAnswer, to writer: inout ByteWriter) {
        switch answer.result {
        case .accepted(let through):
            writer.add(AppendResultKind.accepted.rawValue)
            writer.add(through.rawValue)
        case .rejected(let at, let hint):
            writer.add(AppendResultKind.rejected.rawValue)
            writer.add(at.rawValue)
            add(hint, to: &writer)
        }
        writer.add(answer.committed.rawValue)
    }

    /// count u32 | count times: kind u8, length u32, data.
    private static func add(_ proposals: [Proposal], to writer: inout ByteWriter) {
        writer.add(UInt32(proposals.count))
        for proposal in proposals {
            let (kind, data): (ProposalKind, [UInt8]) =
                switch proposal {
                case .command(let data): (.command, data)
                case .configuration(let change): (.configuration, change.encoded())
                }
            writer.add(kind.rawValue)
            writer.add(UInt32(data.count))
            writer.add(data)
        }
    }

    /// session u64 | number u64.
    private static func add(_ batch: BatchID, to writer: inout ByteWriter) {
        writer.add(batch.session)
        writer.add(batch.number)
    }

    /// term u64 | index u64.
    private static func add(_ id: EntryID, to writer: inout ByteWriter) {
        writer.add(id.term.rawValue)
        writer.add(id.index.rawValue)
    }

    // MARK: Snapshot metadata

    package static func encodedSize(_ metadata: SnapshotMetadata) -> Int {
        lists(of: metadata.configuration).reduce(entryIDBytes + 1) { $0 + 4 + $1.count * 8 }
    }

    /// last | leaves the joint configuration by itself u8 | voters, outgoing, learners, learnersNext, each as count u32,
    /// ids u64.
    package static func encode(_ metadata: SnapshotMetadata, to writer: inout ByteWriter) {
        add(metadata.last, to: &writer)
        writer.add(metadata.configuration.autoLeave)
        for list in lists(of: metadata.configuration) {
            writer.add(UInt32(list.count))
            for member in list { writer.add(member.rawValue) }
        }
    }

    private static func lists(of configuration: Configuration) -> [[MemberID]] {
        [configuration.voters, configuration.outgoing, configuration.learners, configuration.learnersNext]
    }
}
