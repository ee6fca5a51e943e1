internal import StrakeClient
internal import Synchronization

/// Watches keys and counts their events by prefix.
final class PrefixWatch: Sendable {
    private struct State {
        var table: PrefixTable
        /// Why events may be missing: told as long as there is no watch, and once when there is one again.
        var problem: String?
        var isWatching = false
    }

    /// Between the end of a watch and the next one.
    private static let pause = Duration.seconds(1)

    private let state: Mutex<State>
    private let client: StrakeClient
    private let range: KeyRange

    init(_ client: StrakeClient, prefix: [UInt8], depth: Int) {
        self.client = client
        range = prefix.isEmpty ? .all : .prefix(prefix)
        state = Mutex(State(table: PrefixTable(root: prefix, depth: depth)))
    }

    /// Until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(StrakeClientError) {
                var iterator = try await client.watch(range).makeAsyncIterator()
                state.withLock { $0.isWatching = true }
                while let response = try await iterator.next() { count(response.events) }
            } catch {
                if error.isCancelled { return }
                state.withLock { state in
                    state.isWatching = false
                    state.problem = "prefixes: the watch has ended: \(error.message)"
                }
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func count(_ events: [Event]) {
        state.withLock { state in
            for event in events {
                let keyValue = event.keyValue
                state.table.add(
                    key: keyValue.key, valueBytes: keyValue.value.count, isDelete: event.kind == .delete)
            }
        }
    }

    /// What was counted since this was last asked, and what is wrong.
    func take() -> (counts: PrefixTable.Counts, problem: String?) {
        state.withLock { state in
            defer { if state.isWatching { state.problem = nil } }
            return (state.table.take(), state.problem)
        }
    }
}
