internal import StrakeHTTP2
internal import StrakeMVCC
internal import StrakeModel
internal import StrakeStore
internal import StrakeTables
internal import StrakeWatching
internal import Synchronization

/// The calls of one event loop that wait for a key to go, or watch what happens under a prefix. At most one entry a
/// stream. All of it is used on the loop, but for what the thread that applies asks.
final class KeyWaiters {
    private struct Waiter {
        let session: Session
        let stream: StreamID

        func isOf(_ session: Session, _ stream: StreamID) -> Bool { self.session === session && self.stream == stream }
    }

    private var removals: [[UInt8]: [Waiter]] = [:]
    private var observers: [[UInt8]: [Waiter]] = [:]
    /// What is waited for, for the thread that applies. Only the loop changes it.
    private let interest = Mutex(WatchInterest(seed: .random(in: 0 ... .max)))

    // MARK: From the thread that applies

    func wants(_ changes: PublishedEvents) -> Bool {
        interest.withLock { $0.mayInclude(LiveBatch(events: changes.events)) }
    }

    var isWaiting: Bool { interest.withLock { !$0.isEmpty } }

    // MARK: On the loop

    /// Calls `keyRemoved` of the session once, when a delete of the key comes. One that is behind the store already does
    /// not come: whoever waits looks at the store after this call.
    func awaitRemoval(of key: [UInt8], _ stream: StreamID, _ session: Session) {
        removals[key, default: []].append(Waiter(session: session, stream: stream))
        interest.withLock { $0.insert(.key(key)) }
    }

    /// Calls `observedChange` of the session at each batch with a key that begins with the prefix.
    func observe(_ prefix: [UInt8], _ stream: StreamID, _ session: Session) {
        observers[prefix, default: []].append(Waiter(session: session, stream: stream))
        interest.withLock { $0.insert(.prefix(prefix)) }
    }

    func forgetRemoval(of key: [UInt8], _ stream: StreamID, _ session: Session) {
        Self.remove(stream, session, from: &removals, key)
        forgetUnwanted(key)
    }

    func forgetObserver(of prefix: [UInt8], _ stream: StreamID, _ session: Session) {
        Self.remove(stream, session, from: &observers, prefix)
        if observers[prefix] == nil { interest.withLock { $0.remove(.prefix(prefix)) } }
    }

    func publish(_ published: PublishedEvents) {
        if removals.isEmpty, observers.isEmpty { return }
        var woken: [Waiter] = []
        var changed: Set<[UInt8]> = []
        for event in published.events {
            if event.header.isTombstone, !removals.isEmpty {
                let key = [UInt8](event.key)
                if let waiters = removals.removeValue(forKey: key) {
                    woken += waiters
                    forgetUnwanted(key)
                }
            }
            for prefix in observers.keys where event.key.starts(with: prefix) { changed.insert(prefix) }
        }
        wake(woken, observers: changed)
    }

    /// The store came to its revision by a snapshot: anything may have happened.
    func skip() {
        let woken = removals.values.flatMap { $0 }
        let keys = Array(removals.keys)
        removals = [:]
        for key in keys { forgetUnwanted(key) }
        wake(woken, observers: Set(observers.keys))
    }

    private func wake(_ waiters: [Waiter], observers prefixes: Set<[UInt8]>) {
        for waiter in waiters { waiter.session.keyRemoved(waiter.stream) }
        for prefix in prefixes {
            for waiter in observers[prefix] ?? [] { waiter.session.observedChange(waiter.stream) }
        }
    }

    private static func remove(
        _ stream: StreamID, _ session: Session, from waiters: inout [[UInt8]: [Waiter]], _ key: [UInt8]
    ) {
        waiters[key]?.removeAll { $0.isOf(session, stream) }
        if waiters[key]?.isEmpty == true { waiters[key] = nil }
    }

    private func forgetUnwanted(_ key: [UInt8]) {
        if removals[key] == nil { interest.withLock { $0.remove(.key(key)) } }
    }
}
