import Glibc
import StrakeClient

/// A sample service: each worker adds to a shared counter, one of them, the leader, prints what it comes to.
///
///     counter 127.0.0.1:2379 WORKER [ROUNDS]
///
/// Start several; kill one: another one takes over where it was. Where the cluster wants to know who it is, COUNTER_USER and
/// COUNTER_PASSWORD in the environment say so: other users of the machine can read a command line.
@main
struct Counter {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count >= 3 else {
            print("usage: counter ENDPOINTS WORKER [ROUNDS]")
            return
        }
        var options = StrakeClient.Options()
        options.requestTimeout = .seconds(5)
        if let user = getenv("COUNTER_USER"), let password = getenv("COUNTER_PASSWORD") {
            options.credentials = StrakeClient.Credentials(
                user: String(cString: user), password: String(cString: password))
        }
        let client = try StrakeClient(endpoints: words[1].split(separator: ",").map(String.init), options: options)
        let rounds = words.count > 3 ? Int(words[3]) ?? 1 : 1
        try await Counter(client: client, worker: words[2]).run(rounds: rounds)
        client.close()
    }

    let client: StrakeClient
    let worker: String

    func run(rounds: Int) async throws {
        // All that this worker holds hangs on a lease: when it dies, so does that, within ten seconds.
        let lease = try await client.grantLease(ttlSeconds: 10).id
        let keeping = client.keepAlive(lease)
        // From here on no change can be missed.
        let changes = try await client.watch("counter/total")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await report(changes) }
            for _ in 0..<rounds { try await add(1) }
            let leader = try await client.campaign("counter/leader", value: worker, lease: lease)
            print("\(worker) leads, \(try await total()) in all")
            try await client.resign(leader.body)
            group.cancelAll()
        }
        keeping.cancel()
        try await client.revokeLease(lease)
    }

    /// Adds to what is there, whoever else does so at the same time: a transaction that is tried again when the key has
    /// changed since it was read.
    private func add(_ number: Int) async throws {
        while true {
            let current = try await client.get("counter/total").keyValues.first
            let value = current.flatMap { Int(String(decoding: $0.value, as: UTF8.self)) } ?? 0
            let answer = try await client.txn()
                .if(.modRevision(of: "counter/total", .equal, current?.modRevision ?? 0))
                .then(.put("counter/total", "\(value + number)"))
                .commit()
            if answer.succeeded { return }
        }
    }

    private func total() async throws -> Int {
        let value = try await client.get("counter/total").keyValues.first?.value ?? []
        return Int(String(decoding: value, as: UTF8.self)) ?? 0
    }

    private func report(_ changes: Watch) async throws {
        do {
            for try await change in changes {
                for event in change.events {
                    let value = String(decoding: event.keyValue.value, as: UTF8.self)
                    print("revision \(event.keyValue.modRevision): \(value)")
                }
            }
        } catch {
            if error.isCancelled { return }
            guard let compactRevision = error.compactRevision else { throw error }
            print("begin anew above revision \(compactRevision)")
        }
    }
}
