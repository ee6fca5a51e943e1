internal import StrakeModel

/// What is in memory: the active layer, and the frozen one while a checkpoint writes it out.
struct Layers: Sendable {
    let active: LayerSnapshot
    let frozen: LayerSnapshot?

    /// The newest event of `key` in memory.
    func newest(of key: UnsafeRawBufferPointer) -> EventPointer? {
        active.keys?.find(key) ?? frozen?.keys?.find(key)
    }

    func event(at revision: Revision) -> EventPointer? {
        if let first = active.events.firstMain, revision.main >= first {
            return active.events.pointer(at: revision)
        }
        return frozen?.events.pointer(at: revision)
    }

    /// All changes of this main revision and above are in memory.
    var firstMain: Int64 { frozen?.events.firstMain ?? active.events.firstMain ?? .max }

    var bytes: Int { active.bytes + (frozen?.bytes ?? 0) }
}

/// The keys in memory in order, each with its newest event.
struct LayersCursor {
    private var active: KeyCursor
    private var frozen: KeyCursor
    /// Nil beyond the last key.
    private(set) var event: EventPointer?

    init(_ layers: Layers) {
        active = KeyCursor(root: layers.active.keys)
        frozen = KeyCursor(root: layers.frozen?.keys)
    }

    mutating func seek(atOrAfter key: UnsafeRawBufferPointer) {
        active.seek(atOrAfter: key)
        frozen.seek(atOrAfter: key)
        choose()
    }

    mutating func next() {
        if active.event?.toOpaque() == event?.toOpaque() { active.next() } else { frozen.next() }
        choose()
    }

    private mutating func choose() {
        guard let newer = active.event else {
            event = frozen.event
            return
        }
        event = newer
        guard let older = frozen.event else { return }
        let order = KeyOrder.compare(older.key, newer.key)
        if order < 0 { event = older }
        // The active layer's event of the key is the newer one.
        if order == 0 { frozen.next() }
    }
}
