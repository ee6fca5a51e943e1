internal import Glibc
internal import StrakeEtcdService
internal import StrakeLogging
internal import StrakeStore

// What the pieces tell, as log lines. The words are etcd's where it has some: scripts wait for them.
extension ServerCommand {
    static func note(_ slow: SlowRequest, _ log: ServerLog) {
        log.write(
            .warn, "request stats",
            values: [
                "method": .string(slow.method), "time-spent": .string(duration(slow.nanoseconds)),
                "requests": .integer(Int64(clamping: slow.count)),
            ])
    }

    /// As the words around it are: in milliseconds, down to their thousandths.
    private static func duration(_ nanoseconds: UInt64) -> String {
        let micros = String(nanoseconds / 1_000 % 1_000)
        return "\(nanoseconds / 1_000_000)." + String(repeating: "0", count: 3 - micros.count) + micros + "ms"
    }

    static func note(_ notice: StoreNotice, _ log: ServerLog) {
        switch notice {
        case .repaired(let what): log.write(.warn, "repaired the end of the log", ["repair": what])
        case .leadership(let term, let isLeader):
            log.write(.info, isLeader ? "elected leader" : "leadership changed", ["term": String(term)])
        case .diskFull(let what): log.write(.error, "the log cannot grow yet", ["error": what])
        case .logFailing(let what):
            log.write(.error, "a file of the log cannot be prepared or removed", ["error": what])
        case .snapshot(let what): log.write(.info, what)
        case .snapshotFailed(let what): log.write(.warn, what)
        case .backup(let progress, let bytes): note(progress, bytes, log)
        case .progress(let progress): note(progress, log)
        case .forced(let what): log.write(.warn, what)
        case .removalPending(let what): log.write(.warn, what)
        case .removed(let who):
            log.write(.warn, "the cluster has removed this member; it stops", ["known": who])
            // As an operator would stop it.
            kill(getpid(), SIGTERM)
        case .corruption(let what): log.write(.error, what)
        case .damage(let what): log.write(.error, "damaged record in the store", ["error": what])
        case .fatal(let what):
            log.write(.fatal, "the member stops", ["error": what])
            log.drain()
            exit(1)
        }
    }

    /// What goes as it should. These are etcd's words, which scripts wait for.
    static func note(_ progress: StoreProgress, _ log: ServerLog) {
        switch progress {
        case .checkpointed(let index):
            log.write(.info, "saved snapshot", values: ["snapshot-index": .integer(Int64(clamping: index))])
        case .installed(let index):
            log.write(.info, "applied snapshot", values: ["snapshot-index": .integer(Int64(clamping: index))])
        case .compacted(let revision, let nanoseconds):
            log.write(
                .info, "finished scheduled compaction",
                values: ["compact-revision": .integer(revision), "took": .string(duration(nanoseconds))])
        case .compared(let members):
            log.write(
                .info, "finished compaction hash check",
                values: ["number-of-peers-checked": .integer(Int64(members))])
        case .slowApply(let nanoseconds, let expected):
            log.write(
                .warn, "apply request took too long",
                ["took": duration(nanoseconds), "expected-duration": duration(expected)])
        case .autoCompaction(let event): note(event, log)
        }
    }

    static func note(_ event: AutoCompaction.Event, _ log: ServerLog) {
        let name = event.policy.name
        switch event.outcome {
        case .begun:
            log.write(.info, "starting auto \(name) compaction", values: ["revision": .integer(event.revision)])
        case .done:
            log.write(.info, "completed auto \(name) compaction", values: ["revision": .integer(event.revision)])
        case .failed(let reason):
            log.write(
                .warn, "failed auto \(name) compaction",
                values: ["revision": .integer(event.revision), "error": .string(reason)])
        }
    }

    /// etcd's words where it has some.
    static func note(_ progress: BackupProgress, _ bytes: UInt64, _ log: ServerLog) {
        let fields: KeyValuePairs = ["total-bytes": String(bytes)]
        switch progress {
        case .begun: log.write(.info, "sending database snapshot to client", fields)
        case .whole: log.write(.info, "successfully sent database snapshot to client", fields)
        case .abandoned: log.write(.warn, "a client left before it had its database snapshot", fields)
        }
    }
}
