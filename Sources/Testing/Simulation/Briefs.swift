internal import StrakeModel
internal import StrakeRaft

// How things look in a trace.

extension Message {
    var brief: String {
        let text =
            switch body {
            case .requestVote(let request): "\(request.ballot == .vote ? "vote" : "pre-vote")? log ends \(request.last)"
            case .vote(let answer):
                "\(answer.ballot == .vote ? "vote" : "pre-vote") "
                    + (answer.granted ? "yes" : "no, \(answer.committed) is committed")
            case .append(let append):
                "append after \(append.previous), \(append.entries.count) entries, committed \(append.committed)"
            case .appendResponse(let answer):
                switch answer.result {
                case .accepted(let index): "has entries through \(index)"
                case .rejected(let index, let hint): "does not have \(index), try \(hint)"
                }
            case .heartbeat(let heartbeat): "heartbeat, committed \(heartbeat.committed), round \(heartbeat.round)"
            case .heartbeatResponse(let answer): "heartbeat answer, round \(answer.round)"
            case .snapshot(let snapshot): "snapshot \(snapshot.last)"
            case .timeoutNow: "campaign now"
            case .propose(let proposals, let batch): "propose \(proposals.count) as batch \(batch.number)"
            case .proposeRefused(let batch, let reason): "batch \(batch.number) refused: \(reason)"
            case .readIndex(let context): "read index? \(context & 0xffff_ffff)"
            case .readIndexResponse(let context, let index): "read index \(context & 0xffff_ffff) is \(index)"
            case .transferLeadership(let member): "hand over to m\(member.rawValue)"
            }
        return "term \(term), \(text)"
    }
}

extension ClientRequest.Body {
    var brief: String {
        switch self {
        case .get(let key, let revision): "get \(key.text)" + (revision == 0 ? "" : " at revision \(revision)")
        case .change(.put(let put)): "put \(put.key.text)=\(put.value.text)"
        case .change(.deleteRange(let delete)): "delete \(delete.range.lower.text)"
        case .change(.txn(let txn)): "compare and set \(txn.compare.first?.range.lower.text ?? "")"
        case .change(.leaseGrant(let id, let ttl)): "grant lease \(id.rawValue) of \(ttl) s"
        case .change: "change"
        case .keepAlive(let id): "keep lease \(id.rawValue) alive"
        case .watch(let stream, let from): "watch from \(from) on stream \(stream)"
        case .progress(let stream): "progress of stream \(stream)?"
        case .unwatch(let stream): "end of stream \(stream)"
        }
    }
}

extension ClientAnswer {
    var brief: String {
        switch body {
        case .read(let found?, let revision):
            "\(found.key.text)=\(found.value.text) of mod \(found.modRevision), at revision \(revision)"
        case .read(nil, let revision): "no key, at revision \(revision)"
        case .applied(_, let revision): "done, at revision \(revision)"
        case .keptAlive(let ttl): "alive for \(ttl) s"
        case .leaseGone: "no such lease"
        case .refused(let leader): "refused" + (leader.map { ", m\($0) leads" } ?? "")
        case .lost: "lost"
        }
    }
}

extension WatchMessage {
    var brief: String {
        switch self {
        case .created(let revision): "created at revision \(revision)"
        case .events(let events):
            "revisions \(events.first?.keyValue.modRevision ?? 0)...\(events.last?.keyValue.modRevision ?? 0)"
        case .progress(let revision): "progress to \(revision)"
        case .compacted(let revision): "compacted to \(revision)"
        }
    }

    /// Tells it from others.
    var word: UInt64 {
        switch self {
        case .created(let revision): UInt64(bitPattern: revision) << 2
        case .events(let events): UInt64(bitPattern: events.last?.keyValue.modRevision ?? 0) << 2 | 1
        case .progress(let revision): UInt64(bitPattern: revision) << 2 | 2
        case .compacted(let revision): UInt64(bitPattern: revision) << 2 | 3
        }
    }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
