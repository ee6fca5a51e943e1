internal import StrakeModel
internal import StrakeTables

/// Changes in memory: those since a freeze, or those that the checkpoint is writing out.
///
/// Its events in revision order, and over them a sorted tree from key to the key's newest event. A second pair of the
/// same kind holds lease rows, as events whose key is the row.
struct Layer {
    private var events = EventLog()
    private var keys = KeyTree()
    private var leaseEvents = EventLog()
    private var leaseRows = KeyTree()
    private(set) var bytes = 0
    /// The sum of the events' digests.
    private(set) var digest: UInt64 = 0

    var count: Int { events.count }

    mutating func append(_ event: EventStorage) {
        events.append(event)
        keys.insert(.passUnretained(event))
        bytes += event.bytes
        let header = event.header
        digest &+= header.digest
        if let row = header.leaseRow { attach(row) }
    }

    private mutating func attach(_ row: LeaseRow) {
        let event = row.withKey { key in
            EventStorage.make(
                EventHeader(revision: row.revision, createRevision: 0, version: 0, lease: row.lease), key: key,
                value: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        leaseEvents.append(event)
        leaseRows.insert(.passUnretained(event))
        bytes += event.bytes
    }

    func find(_ key: UnsafeRawBufferPointer) -> EventPointer? { keys.root?.find(key) }

    /// The layer as it is until the next append; not for other threads.
    var view: LayerSnapshot {
        LayerSnapshot(
            keys: keys.root, events: events.events(), leaseRows: leaseRows.root, leaseEvents: leaseEvents.events(),
            bytes: bytes)
    }

    /// The layer as it is now, for any thread, whatever is appended later.
    mutating func snapshot() -> LayerSnapshot {
        LayerSnapshot(
            keys: keys.snapshot(), events: events.events(), leaseRows: leaseRows.snapshot(),
            leaseEvents: leaseEvents.events(), bytes: bytes)
    }

    func events(from start: Int) -> EventBatch { events.events(from: start) }
}

/// What readers see of a layer.
struct LayerSnapshot: @unchecked Sendable {
    // Unchecked: no node that a snapshot reaches is changed any more, and the events never are.
    /// The tree over `events`, by key.
    let keys: KeyNode?
    let events: EventBatch
    /// The tree over `leaseEvents`, by `LeaseRow`.
    let leaseRows: KeyNode?
    let leaseEvents: EventBatch
    let bytes: Int
}
