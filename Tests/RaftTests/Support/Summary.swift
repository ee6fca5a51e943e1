internal import StrakeRaft

extension RaftNode.Effect {
    /// One line for scenario files.
    var summary: String {
        switch self {
        case .send(let message): "send \(message.summary)"
        case .persist(let write): "persist \(write.summary)"
        case .restore(let snapshot, let write): "restore #\(write) \(snapshot.summary)"
        case .apply(let entries): "apply \(entries.summary)"
        case .readLog(let read): "read-log \(read.summary)"
        case .prepareSnapshot(let member): "prepare-snapshot for \(member)"
        case .acceptSnapshot(let sender, let snapshot): "accept-snapshot from \(sender) \(snapshot.summary)"
        case .discardSnapshot(let snapshot): "discard-snapshot \(snapshot.last)"
        case .proposed(let first, let count): "proposed \(count) at \(first)"
        case .proposalForwarded(let member, _): "forwarded to \(member)"
        case .forwardedRefused(let batch, let refusal): "batch \(batch) refused \(refusal)"
        case .proposalRefused(.configuration(let error)): "refused configuration \(error)"
        case .proposalRefused(let refusal): "refused \(refusal)"
        case .readReady(let context, let index): "read \(context) at \(index)"
        case .readFailed(let context, let failure): "read \(context) failed \(failure)"
        case .leadershipChanged(let leadership): leadership.summary
        case .configurationChanged(let configuration, let index): "configuration \(configuration.summary) at \(index)"
        }
    }
}

extension Leadership {
    var summary: String { "\(role) term=\(term) leader=\(leader.map(String.init(describing:)) ?? "-")" }
}

extension LogRead {
    var summary: String {
        switch purpose {
        case .apply: "for apply \(from)...\(through)"
        case .member(let member): "for \(member) \(from)...\(through)"
        }
    }
}

extension Write {
    var summary: String {
        var words = ["#\(number)"]
        if let hardState {
            words.append("term=\(hardState.term)")
            words.append("vote=\(hardState.vote.map(String.init(describing:)) ?? "-")")
            words.append("committed=\(hardState.committed)")
        }
        if !entries.isEmpty { words.append(entries.summary) }
        if !mustSync { words.append("unsynced") }
        return words.joined(separator: " ")
    }
}

extension [Entry] {
    var summary: String {
        let words = map { entry in
            switch entry.kind {
            case .empty: "\(entry.id)"
            case .command: "\(entry.id):\(String(decoding: entry.data.prefix(12), as: UTF8.self))"
            case .configuration: "\(entry.id):\(ConfigurationChange(decoding: entry.data)?.summary ?? "?")"
            }
        }
        return "[" + words.joined(separator: " ") + "]"
    }
}

extension ConfigurationChange {
    var summary: String {
        if leavesJoint { return "leave" }
        let words = steps.map { step in
            switch step {
            case .addVoter(let member): "+\(member)"
            case .addLearner(let member): "~\(member)"
            case .remove(let member): "-\(member)"
            case .update(let member): "=\(member)"
            }
        }
        return words.joined(separator: ",")
    }
}

extension Configuration {
    var summary: String {
        var text = "voters=\(voters.summary)"
        if isJoint { text += " outgoing=\(outgoing.summary)" }
        if !learners.isEmpty { text += " learners=\(learners.summary)" }
        if !learnersNext.isEmpty { text += " next=\(learnersNext.summary)" }
        if autoLeave { text += " autoleave" }
        return text
    }
}

extension [MemberID] {
    var summary: String { "(" + map(String.init(describing:)).joined(separator: " ") + ")" }
}

extension SnapshotMetadata {
    var summary: String { "\(last) \(configuration.summary)" }
}

extension Message {
    var summary: String { "\(from)->\(to) t\(term) \(body.summary)" }
}

extension Message.Body {
    var summary: String {
        switch self {
        case .requestVote(let request):
            "request-\(request.ballot == .vote ? "vote" : "prevote") last=\(request.last)"
                + (request.isTransfer ? " transfer" : "")
        case .vote(let answer):
            "\(answer.ballot == .vote ? "vote" : "prevote") \(answer.granted ? "yes" : "no")"
        case .append(let append):
            "append after \(append.previous) \(append.entries.summary) committed=\(append.committed)"
        case .appendResponse(let answer):
            switch answer.result {
            case .accepted(let index): "accepted through \(index)"
            case .rejected(let index, let hint): "rejected at \(index) hint \(hint)"
            }
        case .heartbeat(let heartbeat): "heartbeat committed=\(heartbeat.committed) round=\(heartbeat.round)"
        case .heartbeatResponse(let answer): "heartbeat-answer round=\(answer.round)"
        case .snapshot(let snapshot): "snapshot \(snapshot.summary)"
        case .timeoutNow: "timeout-now"
        case .propose(let proposals, _): "propose \(proposals.count)"
        case .proposeRefused(let batch, let refusal): "propose-refused \(batch.number) \(refusal)"
        case .readIndex(let context): "read-index \(context)"
        case .readIndexResponse(let context, let index): "read-index-answer \(context) at \(index)"
        case .transferLeadership(let member): "transfer to \(member)"
        }
    }
}
