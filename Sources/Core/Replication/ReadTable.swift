internal import DequeModule
internal import StrakeRaft

/// Linearizable reads of this member that cannot be served yet.
struct ReadTable: Sendable {
    struct Read: Sendable {
        var origin: RequestOrigin
        /// In ticks.
        var deadline: UInt64
    }

    /// A question to another member: all reads that had gathered when it was asked.
    private struct Question {
        var context: UInt64
        var reads: [Read]
    }

    private struct Confirmed {
        var index: LogIndex
        var read: Read
    }

    /// The upper half is the run's, since answers to an earlier one may still come; the lower half counts.
    private var lastContext: UInt64
    /// Asked of the own node while it leads, by context. Looked up, never walked.
    private var own: [UInt64: Read] = [:]
    private var question: Question?
    /// Reads that came while a question is out: they need one that is asked after they came.
    private var gathered: [Read] = []
    /// Reads whose question failed, for the next try.
    private var failed: [Read] = []
    /// Reads that wait for the state machine, by ascending index.
    private var confirmed: Deque<Confirmed> = []

    init(session: UInt64) {
        lastContext = session << 32
    }

    var count: Int { own.count + (question?.reads.count ?? 0) + gathered.count + failed.count }
    var hasQuestion: Bool { question != nil }
    var hasGathered: Bool { !gathered.isEmpty }

    /// The context to ask the own node under.
    mutating func ask(_ read: Read) -> UInt64 {
        lastContext &+= 1
        own[lastContext] = read
        return lastContext
    }

    mutating func gather(_ read: Read) { gathered.append(read) }

    /// The context to ask the leader under, for all that has gathered.
    mutating func askGathered() -> UInt64 {
        lastContext &+= 1
        question = Question(context: lastContext, reads: gathered)
        gathered = []
        return lastContext
    }

    mutating func confirm(_ context: UInt64, at index: LogIndex) {
        for read in take(context) {
            var place = confirmed.count
            // Nearly always the end: an answer may have been overtaken.
            while place > 0, confirmed[place - 1].index > index { place -= 1 }
            confirmed.insert(Confirmed(index: index, read: read), at: place)
        }
    }

    mutating func take(_ context: UInt64) -> [Read] {
        if let read = own.removeValue(forKey: context) { return [read] }
        guard let asked = question, asked.context == context else { return [] }
        question = nil
        return asked.reads
    }

    mutating func putBack(_ reads: [Read]) { failed += reads }

    mutating func takeFailed() -> [Read] {
        defer { failed = [] }
        return failed
    }

    /// Lets go of what may be served once everything up to the index is applied.
    mutating func release(through applied: LogIndex, into ready: inout [RequestOrigin]) {
        while let first = confirmed.first, first.index <= applied {
            confirmed.removeFirst()
            ready.append(first.read.origin)
        }
    }

    /// Lets go of everything, and tells who waited.
    mutating func takeAll() -> [RequestOrigin] {
        let asked = own.sorted { $0.key < $1.key }.map(\.value)
        let origins = (asked + (question?.reads ?? []) + gathered + failed + confirmed.map(\.read)).map(\.origin)
        own = [:]
        question = nil
        gathered = []
        failed = []
        confirmed = []
        return origins
    }

    /// Takes out what is not answered in time. A question that is out is the node's to give up, which puts it back.
    mutating func expire(through now: UInt64) -> [RequestOrigin] {
        var expired: [RequestOrigin] = []
        if confirmed.contains(where: { $0.read.deadline <= now }) {
            expired += confirmed.filter { $0.read.deadline <= now }.map(\.read.origin)
            confirmed.removeAll { $0.read.deadline <= now }
        }
        for read in gathered + failed where read.deadline <= now { expired.append(read.origin) }
        gathered.removeAll { $0.deadline <= now }
        failed.removeAll { $0.deadline <= now }
        return expired
    }
}
