internal import StrakeRaft

// Linearizable reads (Raft §8). A read changes nothing, so a question that failed is asked again, under a new context,
// until the read runs out of time.
extension Replica {
    /// Asks for an index that makes a read linearizable. One call may stand for many reads that arrived together.
    public mutating func read(_ origin: RequestOrigin, into output: inout ReplicaOutput) {
        guard reads.count < node.options.pendingReadsMax else {
            output.failures.append(Failure(origin: origin, reason: .overloaded))
            return
        }
        ask(ReadTable.Read(origin: origin, deadline: now + requestTicks), into: &output)
        settle(into: &output)
    }

    /// A leader's reads share rounds of heartbeats. A follower's gather, so that one question to the leader is out at a
    /// time, however many reads there are.
    private mutating func ask(_ read: ReadTable.Read, into output: inout ReplicaOutput) {
        guard isLeader else { return reads.gather(read) }
        stepNode(.readIndex(context: reads.ask(read)))
        carryOut(into: &output)
    }

    mutating func askGathered(into output: inout ReplicaOutput) {
        guard reads.hasGathered, !reads.hasQuestion else { return }
        stepNode(.readIndex(context: reads.askGathered()))
        carryOut(into: &output)
    }

    mutating func readFailed(_ context: UInt64, _ failure: ReadFailure, into output: inout ReplicaOutput) {
        let failed = reads.take(context)
        switch failure {
        case .overloaded:
            for read in failed { output.failures.append(Failure(origin: read.origin, reason: .overloaded)) }
        case .noLeader, .leaderChanged, .timedOut:
            reads.putBack(failed)
        }
    }

    mutating func retryReads(into output: inout ReplicaOutput) {
        for read in reads.takeFailed() { ask(read, into: &output) }
    }
}
