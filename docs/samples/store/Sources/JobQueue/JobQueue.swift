import StrakeStore

/// A queue of jobs that survives the process: what was accepted is done, and done once.
///
///     /jobs/waiting/<id>   the job's text, from its acceptance until it is done
///     /jobs/claims/<id>    the worker that does it, on the worker's lease: a worker that dies loses it
///     /jobs/done/<id>      the result
struct JobQueue: Sendable {
    struct Job: Sendable {
        var id: String
        var text: String
    }

    static let waiting = "/jobs/waiting/"
    static let claims = "/jobs/claims/"
    static let done = "/jobs/done/"

    let store: EmbeddedStore

    /// Returns once the job is on the disk.
    func accept(_ text: String) async throws -> Job {
        let job = Job(id: String(UInt64.random(in: 1...UInt64.max), radix: 16), text: text)
        try await store.put(Self.waiting + job.id, job.text)
        return job
    }

    /// Takes a job for a worker, unless another has it or it is done.
    func claim(_ id: String, by worker: String, lease: LeaseID) async throws -> Job? {
        let claim = try await store.txn(
            if: [.exists(Self.waiting + id), .isMissing(Self.claims + id)],
            then: [.put(Self.claims + id, worker, lease: lease), .get(Self.waiting + id)])
        guard claim.succeeded, case .range(let range) = claim.responses[1], let job = range.keyValues.first else {
            return nil
        }
        return Job(id: id, text: job.text)
    }

    /// Writes the result down, in one revision with the end of the job.
    ///
    /// - Returns: False when the claim was lost meanwhile: another worker does the job.
    func finish(_ job: Job, by worker: String, result: String) async throws -> Bool {
        try await store.txn(
            if: [.value(of: Self.claims + job.id, .equal, worker)],
            then: [.put(Self.done + job.id, result), .delete(Self.waiting + job.id), .delete(Self.claims + job.id)]
        ).succeeded
    }

    /// Everything there is, of any number of jobs, in little memory.
    func list(_ body: @Sendable (_ state: String, _ id: String, _ text: String) -> Void) async throws {
        for try await keyValue in try await store.scan(.prefix("/jobs/")) {
            let parts = keyValue.keyText.split(separator: "/")
            body(String(parts[1]), String(parts[2]), keyValue.text)
        }
    }
}
