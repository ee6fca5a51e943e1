package import StrakeMVCC
package import StrakeModel
package import StrakeTables
package import StrakeWatching
package import Synchronization

/// Events by their position in a batch, as watchers get them.
package protocol WatchEvents {
    func event(at position: Int, withPrevious: Bool) -> Event
}

/// A batch as the state machine published it.
package struct LiveBatch: WatchBatch {
    let events: EventBatch

    package init(events: EventBatch) {
        self.events = events
    }

    package var count: Int { events.count }
    package func mainRevision(at index: Int) -> Int64 { self[index].header.revision.main }
    package func kind(at index: Int) -> Event.Kind { self[index].header.isTombstone ? .delete : .put }
    package func withKey(at index: Int, _ body: (RawSpan) -> Void) {
        let event = self[index]
        body(event.key.bytes)
    }

    private subscript(index: Int) -> MemoryEvent { events[events.startIndex + index] }
}

extension Mutex where Value == WatchInbox<PublishedEvents> {
    /// Removals between which the thread that applies gets its turn.
    private static var forgottenAtOnceMax: Int { 256 }

    /// Takes the changes in if some watcher may want them.
    ///
    /// - Returns: The inbox was empty and is no more: who has the hub is to look.
    package func offer(_ changes: PublishedEvents) -> Bool {
        withLock { $0.offer(changes, LiveBatch(events: changes.events), first: changes.first, last: changes.last) }
    }

    package func forget(_ ranges: [KeyRange]) {
        var rest = ranges[...]
        while !rest.isEmpty {
            withLock { inbox in
                for range in rest.prefix(Self.forgottenAtOnceMax) { inbox.forget(range) }
            }
            rest = rest.dropFirst(Self.forgottenAtOnceMax)
        }
    }
}

package struct LiveEvents: WatchEvents {
    let batch: EventBatch
    let reader: Reader
    /// Told of damage that a look at a previous value has met.
    let onDamage: (String) -> Void

    package init(batch: EventBatch, reader: Reader, onDamage: @escaping (String) -> Void) {
        self.batch = batch
        self.reader = reader
        self.onDamage = onDamage
    }

    package func event(at position: Int, withPrevious: Bool) -> Event {
        let event = batch[batch.startIndex + position]
        var previous: KeyValue?
        if withPrevious {
            do throws(MVCCError) {
                previous = try reader.withView { view throws(MVCCError) in
                    try view.previous(of: event.header, key: event.key)
                }
            } catch {
                // The change itself is whole and must not be held back; the operator is told what is missing from it, once,
                // since an event is made once for all watchers of a hub.
                onDamage("\(error)")
            }
        }
        return Event(header: event.header, key: event.key, value: event.value, previous: previous)
    }
}

/// What one scan of history found.
package struct Replay: WatchBatch, WatchEvents, Sendable {
    /// Bytes scanned between looks at the limits.
    private static let stepBytes = 64 << 10

    private var events: [Event] = []
    /// All events up to here that the request covers are in.
    package private(set) var scannedThrough: Int64

    package init(_ request: ReplayRequest, reader: Reader) throws(MVCCError) {
        try self.init(request, from: request.from, through: request.through, reader: reader)
    }

    package init(_ request: ReplayRequest, from: Int64, through: Int64, reader: Reader) throws(MVCCError) {
        scannedThrough = from - 1
        let coverage = request.coverage()
        var next = Revision(main: from)
        var bytes = 0
        while scannedThrough < through, events.count < request.eventsMax, bytes < request.bytesMax {
            var found: [Event] = []
            let step: (next: Revision?, newest: Int64) = try reader.withView { view throws(MVCCError) in
                var headers: [EventHeader] = []
                let end = min(through, view.revision)
                let rest = try view.events(from: next, through: end, byteBudget: Self.stepBytes) { event in
                    guard coverage.contains(event.key.bytes) else { return }
                    found.append(Event(header: event.header, key: event.key, value: event.value, previous: nil))
                    if request.wantsPrevious { headers.append(event.header) }
                }
                for (index, header) in headers.enumerated() {
                    found[index].previous = try view.previous(of: header, key: found[index].keyValue.key)
                }
                return (rest, end)
            }
            bytes += found.reduce(0) { $0 + $1.keyValue.key.count + $1.keyValue.value.count }
            events += found
            guard let rest = step.next else {
                scannedThrough = max(scannedThrough, step.newest)
                break
            }
            scannedThrough = rest.main - 1
            next = rest
        }
    }

    package var count: Int { events.count }
    package func mainRevision(at index: Int) -> Int64 { events.mainRevision(at: index) }
    package func kind(at index: Int) -> Event.Kind { events[index].kind }
    package func withKey(at index: Int, _ body: (RawSpan) -> Void) { events.withKey(at: index, body) }

    package func event(at position: Int, withPrevious: Bool) -> Event {
        var event = events[position]
        if !withPrevious { event.previous = nil }
        return event
    }
}

extension Event {
    package init(
        header: EventHeader, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, previous: KeyValue?
    ) {
        var keyValue = KeyValue(key: Array(key), modRevision: header.revision.main)
        if !header.isTombstone {
            keyValue.createRevision = header.createRevision
            keyValue.version = header.version
            keyValue.lease = header.lease
            keyValue.value = Array(value)
        }
        self.init(kind: header.isTombstone ? .delete : .put, keyValue: keyValue, previous: previous)
    }
}

extension ReadView {
    /// As `previous(of:key:)`, for a key in an array.
    fileprivate mutating func previous(of header: EventHeader, key: [UInt8]) throws(MVCCError) -> KeyValue? {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: key.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: key)
        return try previous(of: header, key: UnsafeRawBufferPointer(memory))
    }
}
