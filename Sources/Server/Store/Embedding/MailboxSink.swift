internal import StrakeModel
internal import StrakeWatching

/// Puts what the hub hands out into the watches' mailboxes. An event is made once for all that want the same form.
struct MailboxSink: WatchConsumer {
    /// What an event takes beside its bytes, more or less.
    private static let eventOverhead = 256

    var mailboxes: [StreamKey: WatchMailbox] = [:]
    private var events: (any WatchEvents)?
    private var plain: [Int: Event] = [:]
    private var withPrevious: [Int: Event] = [:]
    private var ended: [StreamKey] = []

    mutating func begin(_ events: any WatchEvents) { self.events = events }

    mutating func end() {
        events = nil
        plain.removeAll(keepingCapacity: true)
        withPrevious.removeAll(keepingCapacity: true)
    }

    /// Watches that were canceled since the last call, and that the hub should forget.
    mutating func takeEnded() -> [StreamKey] {
        defer { ended = [] }
        return ended
    }

    mutating func deliver(_ delivery: inout Delivery) {
        // Not before somebody has room for it.
        var made: (update: EmbeddedStore.WatchUpdate, bytes: Int)?
        for index in delivery.watchers.indices {
            guard let mailbox = mailboxes[delivery.watchers[index].stream] else { continue }
            guard mailbox.hasRoom() else {
                delivery.refuse(at: index)
                continue
            }
            let letter = made ?? make(delivery)
            made = letter
            mailbox.put(letter.update, bytes: letter.bytes)
        }
    }

    private mutating func make(_ delivery: Delivery) -> (update: EmbeddedStore.WatchUpdate, bytes: Int) {
        let isPrevious = delivery.form.contains(.previous)
        var events: [Event] = []
        events.reserveCapacity(delivery.positions.count)
        var bytes = 0
        for position in delivery.positions {
            let event = event(at: position, isPrevious)
            bytes += Self.bytes(of: event)
            events.append(event)
        }
        let revision = events.last?.keyValue.modRevision ?? 0
        return (EmbeddedStore.WatchUpdate(events: events, revision: revision), bytes)
    }

    private mutating func event(at position: Int, _ isPrevious: Bool) -> Event {
        if let known = isPrevious ? withPrevious[position] : plain[position] { return known }
        guard let events else { preconditionFailure("a delivery outside a batch") }
        let event = events.event(at: position, withPrevious: isPrevious)
        if isPrevious { withPrevious[position] = event } else { plain[position] = event }
        return event
    }

    private static func bytes(of event: Event) -> Int {
        let previous = event.previous.map { $0.key.count + $0.value.count + eventOverhead / 2 } ?? 0
        return event.keyValue.key.count + event.keyValue.value.count + previous + eventOverhead
    }

    mutating func cancel(_ watcher: WatcherID, compactRevision: Int64) {
        mailboxes[watcher.stream]?.endCompacted(compactRevision)
        ended.append(watcher.stream)
    }

    mutating func progress(of watcher: WatcherID, revision: Int64) {
        mailboxes[watcher.stream]?.putProgress(revision: revision)
    }

    mutating func progress(of stream: StreamKey, revision: Int64) {
        mailboxes[stream]?.putProgress(revision: revision)
    }
}
