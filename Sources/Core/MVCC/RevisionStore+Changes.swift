internal import StrakeModel
internal import StrakeTables

// The changes of one request: one main revision, numbered in the order they are made.
extension RevisionStore {
    mutating func beginRequest() {
        requestStart = active.count
        changeCount = 0
    }

    /// A request that changed nothing takes no revision.
    mutating func endRequest() {
        if changeCount > 0 { revision += 1 }
        changeCount = 0
    }

    private mutating func takeRevision() -> Revision {
        precondition(changeCount < .max, "a request changes more keys than a sub-revision counts")
        defer { changeCount += 1 }
        return Revision(main: revision + 1, sub: changeCount)
    }

    /// The chain link of a key's next event. `previous` is its newest event so far.
    mutating func link(after previous: KeyState?) throws(TableError) -> ChainLink {
        guard let entry = previous?.entry else { return .first }
        return try ChainLink.following(entry.modRevision, entry.link, compactRevision: compactRevision) {
            revision throws(TableError) in
            let snapshot = snapshot
            return try reading.with { txn throws(TableError) in try snapshot.link(at: revision, in: txn) }
        }
    }

    mutating func put(_ request: PutRequest) throws(MVCCError) -> PutOutcome {
        let found = try MVCCError.storage { () throws(TableError) in
            try request.key.withBytes { key throws(TableError) in try state(of: key) }
        }
        let living = found.flatMap { $0.isAlive ? $0 : nil }
        if living == nil, request.ignoreValue || request.ignoreLease { throw .refused(.keyNotFound) }
        return try MVCCError.storage { () throws(TableError) in try put(request, over: found, living) }
    }

    private mutating func put(
        _ request: PutRequest, over found: KeyState?, _ living: KeyState?
    ) throws(TableError) -> PutOutcome {
        var previous: KeyValue?
        if let living, request.wantsPrevious || request.ignoreValue {
            let snapshot = snapshot
            previous = try request.key.withBytes { key throws(TableError) in
                try snapshot.keyValue(key, living, wantsValue: true, reading: &reading)
            }
        }
        let link = try link(after: found)
        let revision = takeRevision()
        let oldLease = living?.entry.lease ?? .none
        let header = EventHeader(
            revision: revision, createRevision: living?.entry.createRevision ?? revision.main,
            version: (living?.entry.version ?? 0) + 1, lease: request.ignoreLease ? oldLease : request.lease,
            previous: found?.entry.modRevision ?? .zero, link: link)
        if living == nil { keyCount += 1 }
        let value = request.ignoreValue ? previous?.value ?? [] : request.value
        active.append(
            request.key.withBytes { key in value.withBytes { EventStorage.make(header, key: key, value: $0) } })
        return PutOutcome(
            response: PutResponse(previous: request.wantsPrevious ? previous : nil), oldLease: oldLease)
    }

    mutating func deleteRange(_ request: DeleteRangeRequest) throws(TableError) -> DeleteRangeResponse {
        var response = DeleteRangeResponse()
        var tombstones: [EventStorage] = []
        let snapshot = snapshot
        let compactRevision = compactRevision
        var next = Revision(main: revision + 1, sub: changeCount)
        var buffer = RecordBuffer()
        // First all the tombstones, then the changes: the scan reads the tree that the changes go to.
        try snapshot.scan(request.range, at: .max, reading: &reading) { key, state, txn throws(TableError) in
            if request.wantsPrevious {
                response.previous.append(
                    try snapshot.keyValue(key, state, wantsValue: true, in: txn, buffer: &buffer))
            }
            let entry = state.entry
            let link = try ChainLink.following(entry.modRevision, entry.link, compactRevision: compactRevision) {
                revision throws(TableError) in try snapshot.link(at: revision, in: txn)
            }
            let header = EventHeader(
                revision: next, isTombstone: true, createRevision: 0, version: 0, previous: entry.modRevision,
                link: link)
            tombstones.append(EventStorage.make(header, key: key, value: .empty))
            precondition(next.sub < .max, "a request changes more keys than a sub-revision counts")
            next.sub += 1
            return true
        }
        for tombstone in tombstones { active.append(tombstone) }
        keyCount -= tombstones.count
        changeCount = next.sub
        response.deleted = Int64(tombstones.count)
        return response
    }
}
