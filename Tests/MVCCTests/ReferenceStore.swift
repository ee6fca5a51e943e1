import StrakeChecksum
import StrakeMVCC
import StrakeModel

/// What a store is asked to do.
enum TestCommand {
    case put(PutRequest)
    case delete(DeleteRangeRequest)
    case txn(TxnRequest)
    case compact(Int64)
    case revoke([LeaseID])
}

/// What it answers.
enum TestAnswer: Equatable {
    case put(PutOutcome)
    case delete(DeleteRangeResponse)
    case txn(TxnResponse)
    case done
    case revoked(Int)
    case refused(StoreError)
}

/// One change, as a watcher is told.
struct ReferenceEvent: Equatable {
    var revision: Revision
    var isTombstone: Bool
    /// Of a tombstone only the key and the mod revision.
    var keyValue: KeyValue
}

/// The store as simply as it can be said: every state there ever was, kept whole.
struct ReferenceStore {
    typealias Keys = [[UInt8]: KeyValue]

    private(set) var compactRevision: Int64 = 0
    /// By main revision.
    private(set) var states: [Keys] = [[:], [:]]
    private(set) var events: [[ReferenceEvent]] = [[], []]
    let leases: Set<LeaseID>

    // The request that is being applied.
    private var keys: Keys = [:]
    private var changes: [ReferenceEvent] = []

    init(leases: Set<LeaseID>) { self.leases = leases }

    var revision: Int64 { Int64(states.count) - 1 }

    // MARK: Requests

    mutating func apply(_ command: TestCommand) -> TestAnswer {
        keys = states[Int(revision)]
        changes = []
        do throws(StoreError) {
            let answer = try answer(command)
            if !changes.isEmpty {
                states.append(keys)
                events.append(changes)
            }
            return answer
        } catch {
            return .refused(error)
        }
    }

    private mutating func answer(_ command: TestCommand) throws(StoreError) -> TestAnswer {
        switch command {
        case .put(let request):
            if request.lease != .none && !leases.contains(request.lease) { throw .leaseNotFound }
            return .put(try put(request))
        case .delete(let request): return .delete(delete(request))
        case .txn(let request):
            var response = try txn(request, before: states[Int(revision)])
            setRevision(of: &response, to: revision + (changes.isEmpty ? 0 : 1))
            return .txn(response)
        case .compact(let main):
            if main <= compactRevision { throw .compacted(requested: main, compactRevision: compactRevision) }
            if main > revision { throw .futureRevision(requested: main, current: revision) }
            compactRevision = main
            return .done
        case .revoke(let leases):
            let attached = keys.values.filter { leases.contains($0.lease) }.map(\.key)
            for key in attached.sorted(by: { $0.precedes($1) }) { _ = delete(DeleteRangeRequest(range: .key(key))) }
            return .revoked(attached.count)
        }
    }

    private mutating func record(_ keyValue: KeyValue, isTombstone: Bool) {
        let revision = Revision(main: revision + 1, sub: Int32(changes.count))
        changes.append(ReferenceEvent(revision: revision, isTombstone: isTombstone, keyValue: keyValue))
    }

    private mutating func put(_ request: PutRequest) throws(StoreError) -> PutOutcome {
        let old = keys[request.key]
        if (request.ignoreValue || request.ignoreLease) && old == nil { throw .keyNotFound }
        let new = KeyValue(
            key: request.key, createRevision: old?.createRevision ?? revision + 1, modRevision: revision + 1,
            version: (old?.version ?? 0) + 1, value: request.ignoreValue ? old!.value : request.value,
            lease: request.ignoreLease ? old!.lease : request.lease)
        keys[request.key] = new
        record(new, isTombstone: false)
        return PutOutcome(
            response: PutResponse(previous: request.wantsPrevious ? old : nil), oldLease: old?.lease ?? .none)
    }

    private mutating func delete(_ request: DeleteRangeRequest) -> DeleteRangeResponse {
        let found = Self.sorted(keys, in: request.range)
        for old in found {
            keys[old.key] = nil
            record(KeyValue(key: old.key, modRevision: revision + 1), isTombstone: true)
        }
        return DeleteRangeResponse(deleted: Int64(found.count), previous: request.wantsPrevious ? found : [])
    }

    private mutating func txn(_ request: TxnRequest, before: Keys) throws(StoreError) -> TxnResponse {
        let succeeded = request.compare.allSatisfy { Self.holds($0, in: before) }
        var response = TxnResponse(succeeded: succeeded)
        for operation in succeeded ? request.success : request.failure {
            switch operation {
            case .range(let range):
                if range.revision < 0 && compactRevision != 0 {
                    throw .compacted(requested: range.revision, compactRevision: compactRevision)
                }
                let state = range.revision == 0 ? keys : try state(at: range.revision)
                response.responses.append(.range(Self.range(range, in: state)))
            case .put(let put):
                let outcome = try self.put(put)
                if put.lease != .none && !leases.contains(put.lease) { throw .leaseNotFound }
                response.responses.append(.put(outcome.response))
            case .deleteRange(let range): response.responses.append(.deleteRange(delete(range)))
            case .txn(let inner): response.responses.append(.txn(try txn(inner, before: before)))
            }
        }
        return response
    }

    private func setRevision(of response: inout TxnResponse, to revision: Int64) {
        response.revision = revision
        response.responses = response.responses.map { operation in
            guard case .txn(var inner) = operation else { return operation }
            setRevision(of: &inner, to: revision)
            return .txn(inner)
        }
    }

    private static func holds(_ compare: Compare, in keys: Keys) -> Bool {
        var found = sorted(keys, in: compare.range)
        if found.isEmpty {
            if case .value = compare.target { return false }
            found = [KeyValue(key: [])]
        }
        return found.allSatisfy { key in
            let order =
                switch compare.target {
                case .version(let wanted): key.version - wanted
                case .createRevision(let wanted): key.createRevision - wanted
                case .modRevision(let wanted): key.modRevision - wanted
                case .lease(let wanted): key.lease.rawValue - wanted.rawValue
                case .value(let wanted): Int64(key.value == wanted ? 0 : key.value.precedes(wanted) ? -1 : 1)
                }
            switch compare.result {
            case .equal: return order == 0
            case .notEqual: return order != 0
            case .less: return order < 0
            case .greater: return order > 0
            }
        }
    }

    // MARK: Reads

    func state(at requested: Int64) throws(StoreError) -> Keys {
        if requested <= 0 { return states[Int(revision)] }
        if requested > revision { throw .futureRevision(requested: requested, current: revision) }
        if requested < compactRevision { throw .compacted(requested: requested, compactRevision: compactRevision) }
        return states[Int(requested)]
    }

    static func sorted(_ keys: Keys, in range: KeyRange) -> [KeyValue] {
        keys.values.filter { range.contains($0.key) }.sorted { $0.key.precedes($1.key) }
    }

    /// In the order of etcd's own steps: read with or without the limit, filter, sort, cut.
    static func range(_ request: RangeRequest, in keys: Keys) -> RangeResponse {
        var found = sorted(keys, in: request.range)
        var response = RangeResponse(count: Int64(found.count))
        if request.countOnly { return response }
        let readsAll = request.sortOrder != .none || request.hasRevisionFilter || request.limit <= 0
        if !readsAll { found = Array(found.prefix(Int(request.limit) + 1)) }
        found = found.filter { key in
            (request.maxModRevision == 0 || key.modRevision <= request.maxModRevision)
                && (request.minModRevision == 0 || key.modRevision >= request.minModRevision)
                && (request.maxCreateRevision == 0 || key.createRevision <= request.maxCreateRevision)
                && (request.minCreateRevision == 0 || key.createRevision >= request.minCreateRevision)
        }
        let isDescending = request.sortOrder == .descending
        switch request.sortTarget {
        case .key: if isDescending { found.reverse() }
        case .version: sort(&found, isDescending) { $0.version < $1.version }
        case .createRevision: sort(&found, isDescending) { $0.createRevision < $1.createRevision }
        case .modRevision: sort(&found, isDescending) { $0.modRevision < $1.modRevision }
        case .value: sort(&found, isDescending) { $0.value.precedes($1.value) }
        }
        if request.limit > 0 && found.count > request.limit {
            found.removeSubrange(Int(request.limit)...)
            response.more = true
        }
        if request.keysOnly { for index in found.indices { found[index].value = [] } }
        response.keyValues = found
        return response
    }

    /// Stable: what the target leaves equal stays in key order.
    private static func sort(
        _ found: inout [KeyValue], _ isDescending: Bool, by precedes: (KeyValue, KeyValue) -> Bool
    ) {
        let numbered = found.enumerated().sorted { left, right in
            let first = isDescending ? right.element : left.element
            let second = isDescending ? left.element : right.element
            if precedes(first, second) { return true }
            if precedes(second, first) { return false }
            return left.offset < right.offset
        }
        found = numbered.map(\.element)
    }

    /// The key before a change, as watchers are told.
    func previous(of event: ReferenceEvent) -> KeyValue? {
        let main = event.revision.main - 1
        if main < compactRevision { return nil }
        if !event.isTombstone && event.keyValue.createRevision == event.revision.main { return nil }
        return states[Int(main)][event.keyValue.key]
    }

    /// Live history: the keys at the compact revision that are older than it, then every change from it on.
    func hash(through last: Int64) -> UInt32 {
        var crc = CRC32C()
        func add(_ event: ReferenceEvent) {
            let key = event.keyValue
            let fields: [Int64] = [
                event.revision.main, Int64(event.revision.sub), event.isTombstone ? 1 : 0, key.createRevision,
                key.version, key.lease.rawValue, Int64(key.key.count), Int64(key.value.count),
            ]
            crc.add(fields.flatMap { field in (0..<8).map { UInt8(truncatingIfNeeded: field >> (8 * $0)) } })
            crc.add(key.key)
            crc.add(key.value)
        }
        for key in Self.sorted(states[Int(compactRevision)], in: .all) where key.modRevision < compactRevision {
            if let event = events[Int(key.modRevision)].last(where: { $0.keyValue.key == key.key }) { add(event) }
        }
        for event in events[Int(compactRevision)...Int(last)].joined() { add(event) }
        return crc.value
    }
}
