import ServiceLifecycle
import StrakeStore

/// Does the jobs that wait, and then those that come. Any number of workers share the work.
struct Worker: Service {
    /// How long the jobs of a worker that died stay claimed.
    static let leaseSeconds: Int64 = 2

    let name: String
    let queue: JobQueue

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await queue.store.withLease(ttlSeconds: Self.leaseSeconds) { lease in try await work(lease) }
            } catch is CancellationError {
                // Told to stop; what is claimed is free for others.
            } catch EmbeddedStoreError.canceled {
            }
        }
    }

    private func work(_ lease: LeaseID) async throws {
        // What is there first, and then every change after it: no job falls between.
        let waiting = try await queue.store.scan(.prefix(JobQueue.waiting))
        for try await keyValue in waiting {
            try await attempt(String(keyValue.keyText.dropFirst(JobQueue.waiting.count)), lease)
        }
        var options = EmbeddedStore.WatchOptions()
        options.startRevision = waiting.revision + 1
        for try await update in try await queue.store.watch(.prefix("/jobs/"), options) {
            for event in update.events {
                let key = event.keyValue.keyText
                switch event.kind {
                case .put where key.hasPrefix(JobQueue.waiting):
                    try await attempt(String(key.dropFirst(JobQueue.waiting.count)), lease)
                case .delete where key.hasPrefix(JobQueue.claims):
                    // Done, or the worker that had it is gone.
                    try await attempt(String(key.dropFirst(JobQueue.claims.count)), lease)
                case .put, .delete: continue
                }
            }
        }
    }

    private func attempt(_ id: String, _ lease: LeaseID) async throws {
        guard let job = try await queue.claim(id, by: name, lease: lease) else { return }
        let result = String(job.text.reversed())
        if try await queue.finish(job, by: name, result: result) { say("done \(job.id) \(result)") }
    }
}
