/// The specification: what one key is after some operations in a row.
///
/// Where an operation's revision is not known the state holds bounds instead, which later answers narrow.
struct KeyState: Hashable {
    struct Value: Hashable {
        var value: UInt64
        /// Puts since the key came to life.
        var version: Int64
        var mod: Place
        var create: Place
    }

    /// A revision: known, or somewhere from `low` on.
    struct Place: Hashable {
        var low: Int64
        var isKnown: Bool

        /// The place once it is known to be `revision`; nil when it cannot be.
        func narrowed(to revision: Int64) -> Place? {
            guard isKnown ? revision == low : revision >= low else { return nil }
            return Place(low: revision, isKnown: true)
        }
    }

    /// Nil: the key is not there.
    var value: Value?
    /// No later operation is at a lower revision, nor a later change at this one.
    var floor: Int64 = 0

    /// The states that the operation can lead to with the answer it had; empty when it cannot come here.
    ///
    /// - Parameter taken: Where no change without an answer has been.
    func after(_ operation: Operation, taken: TakenRevisions) -> [KeyState] {
        switch operation.outcome {
        case .unknown: possible(operation.request, taken)
        case .read(let seen): reading(seen, operation)
        case .written: writing(operation)
        case .deleted(let count): deleting(count, operation)
        }
    }

    // MARK: Answered

    private func reading(_ seen: Operation.Observation?, _ operation: Operation) -> [KeyState] {
        guard var next = advanced(to: operation.revision) else { return [] }
        if case .compareAndSet(let wanted, _) = operation.request, seen?.modRevision ?? 0 == wanted { return [] }
        guard let seen else { return value == nil ? [next] : [] }
        guard let value, value.value == seen.value, value.version == seen.version,
            seen.modRevision <= operation.revision ?? .max, let mod = value.mod.narrowed(to: seen.modRevision),
            let create = value.create.narrowed(to: seen.createRevision)
        else { return [] }
        // The first put of a life made it, the later ones did not.
        guard (seen.version == 1) == (seen.createRevision == seen.modRevision), seen.createRevision <= seen.modRevision
        else { return [] }
        next.value = Value(value: seen.value, version: seen.version, mod: mod, create: create)
        next.floor = max(next.floor, seen.modRevision)
        return [next]
    }

    private func writing(_ operation: Operation) -> [KeyState] {
        switch operation.request {
        case .put(let new): return put(new, at: place(of: operation))
        case .compareAndSet(let wanted, let new):
            guard let narrowed = matching(wanted, below: operation.revision) else { return [] }
            return narrowed.put(new, at: narrowed.place(of: operation))
        case .get, .delete: return []
        }
    }

    private func deleting(_ count: Int, _ operation: Operation) -> [KeyState] {
        if count == 0 {
            guard value == nil, let next = advanced(to: operation.revision) else { return [] }
            return [next]
        }
        guard count == 1, value != nil else { return [] }
        return changed(at: place(of: operation)) { _ in nil }
    }

    private func nextPlace(_ taken: TakenRevisions) -> Place {
        Place(low: taken.firstFree(after: floor), isKnown: false)
    }

    private func place(of change: Operation) -> Place {
        Place(low: change.revision ?? floor + 1, isKnown: change.revision != nil)
    }

    // MARK: Not answered

    private func possible(_ request: Operation.Request, _ taken: TakenRevisions) -> [KeyState] {
        switch request {
        case .get: return []
        case .put(let new): return put(new, at: nextPlace(taken))
        case .delete: return value == nil ? [] : changed(at: nextPlace(taken)) { _ in nil }
        case .compareAndSet(let wanted, let new):
            guard let narrowed = matching(wanted, below: nil) else { return [] }
            return narrowed.put(new, at: narrowed.nextPlace(taken))
        }
    }

    // MARK: Steps

    private func put(_ new: UInt64, at place: Place) -> [KeyState] {
        changed(at: place) { place in
            guard let old = value else { return Value(value: new, version: 1, mod: place, create: place) }
            return Value(value: new, version: old.version + 1, mod: place, create: old.create)
        }
    }

    private func changed(at place: Place, _ value: (Place) -> Value?) -> [KeyState] {
        if place.low <= floor { return [] }
        return [KeyState(value: value(place), floor: place.low)]
    }

    private func advanced(to revision: Int64?) -> KeyState? {
        guard let revision else { return self }
        return revision < floor ? nil : KeyState(value: value, floor: revision)
    }

    /// The state, now known to have this mod revision.
    private func matching(_ wanted: Int64, below revision: Int64?) -> KeyState? {
        guard wanted < revision ?? .max else { return nil }
        guard let value else { return wanted == 0 ? self : nil }
        guard let mod = value.mod.narrowed(to: wanted) else { return nil }
        var next = self
        next.value?.mod = mod
        next.floor = max(floor, wanted)
        return next
    }
}
