internal import StrakeModel

/// Events in revision order, from the memory of a layer that it keeps alive.
package struct EventBatch: RandomAccessCollection, @unchecked Sendable {
    // Unchecked: the blocks are still being filled, but only beyond `bounds`.
    private let spine: [EventBlock]
    private let bounds: Range<Int>

    init(spine: [EventBlock], bounds: Range<Int>) {
        self.spine = spine
        self.bounds = bounds
    }

    static var empty: EventBatch { EventBatch(spine: [], bounds: 0..<0) }

    package var startIndex: Int { bounds.lowerBound }
    package var endIndex: Int { bounds.upperBound }

    package subscript(position: Int) -> MemoryEvent {
        precondition(bounds.contains(position), "no event \(position) in \(bounds)")
        return MemoryEvent(storage: pointer(at: position).takeUnretainedValue())
    }

    @inline(__always)
    func pointer(at position: Int) -> EventPointer {
        spine[position / EventBlock.capacity].pointer(at: position % EventBlock.capacity)
    }

    /// Position of the first event at or after `revision`; `endIndex` when there is none.
    func position(atOrAfter revision: Revision) -> Int {
        var low = bounds.lowerBound
        var high = bounds.upperBound
        while low < high {
            let middle = (low + high) / 2
            if pointer(at: middle).revision < revision { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func pointer(at revision: Revision) -> EventPointer? {
        let position = position(atOrAfter: revision)
        guard position < bounds.upperBound else { return nil }
        let found = pointer(at: position)
        return found.revision == revision ? found : nil
    }

    /// Main revision of the first event.
    var firstMain: Int64? { isEmpty ? nil : pointer(at: bounds.lowerBound).revision.main }
}
