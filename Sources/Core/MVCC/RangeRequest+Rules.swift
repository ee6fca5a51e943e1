internal import StrakeModel
internal import StrakeTables

/// In which order an answer's keys are wanted.
enum RangeOrder: Equatable {
    case key
    case sorted(RangeRequest.SortTarget, isDescending: Bool)
}

extension RangeRequest {
    /// A target without an order sorts ascending, as etcd does.
    var order: RangeOrder {
        if sortTarget == .key && sortOrder != .descending { return .key }
        return .sorted(sortTarget, isDescending: sortOrder == .descending)
    }

    /// How many of the admitted keys, in key order, are sorted at all; nil: all of them.
    ///
    /// etcd reads no further than one key beyond the limit when neither an order nor a filter is given, and sorts what it
    /// has read, if a target alone is given.
    var sortedKeysMax: Int64? {
        sortOrder == .none && !hasRevisionFilter && limit > 0 && limit < .max ? limit + 1 : nil
    }

    /// The filters let this key into the answer. They do not change the count.
    func admits(_ entry: CurrentEntry) -> Bool {
        if !hasRevisionFilter { return true }
        let mod = entry.modRevision.main
        let create = entry.createRevision
        return (maxModRevision == 0 || mod <= maxModRevision) && (minModRevision == 0 || mod >= minModRevision)
            && (maxCreateRevision == 0 || create <= maxCreateRevision)
            && (minCreateRevision == 0 || create >= minCreateRevision)
    }
}
