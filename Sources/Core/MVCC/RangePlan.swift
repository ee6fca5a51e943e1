package import StrakeModel

/// A key and its value in memory that somebody else owns. Good inside the call it is lent to.
package struct LentKeyValue {
    package let fields: KeyValueFields
    package let key: UnsafeRawBufferPointer
    /// Empty when only keys were asked for.
    package let value: UnsafeRawBufferPointer
}

/// The first pass over a large answer: what it will hold, and how far the second pass has come.
///
/// Holds the history it needs until it is released or dropped, so the owner bounds its time.
package struct RangePlan: Sendable {
    enum Position: Sendable {
        /// Keys from this one on.
        case key([UInt8])
        /// Sorted events from this index on.
        case sorted([Revision], next: Int)
    }

    let request: RangeRequest
    let hold: RangeHold
    let generation: UInt64
    var position: Position
    /// Keys of the answer that are still to be lent.
    package internal(set) var remaining: Int

    /// Keys in the whole range.
    package internal(set) var count: Int64 = 0
    /// The limit cuts the answer short.
    package internal(set) var more = false
    /// Keys in the answer.
    package internal(set) var returned = 0
    /// Sum of the caller's sizes over the keys in the answer.
    package internal(set) var bytes = 0
    /// The store's revision when the answer was planned, for its header.
    package let headerRevision: Int64
    /// The revision that is read at.
    package var revision: Int64 { hold.revision }

    init(_ request: RangeRequest, _ hold: RangeHold, headerRevision: Int64, generation: UInt64) {
        self.request = request
        self.hold = hold
        self.generation = generation
        self.headerRevision = headerRevision
        position = .key(request.range.lower)
        remaining = 0
    }

    /// Gives up what is left of the answer.
    package func release() { hold.release() }
}
