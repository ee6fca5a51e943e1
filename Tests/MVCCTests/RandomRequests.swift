import StrakeModel
import StrakeSeededGenerator

/// Requests over a few dozen keys, so that everything meets everything.
struct RandomRequests {
    var generator: SeededGenerator
    let keys: [[UInt8]]
    let leases: [LeaseID] = [1, 2, 3].map { LeaseID(rawValue: $0) }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        let long = [UInt8](repeating: 0x6C, count: 600)
        var keys = ["a", "a\0", "ab", "b", "b/1", "b/2", "b/10", "c", "cc", "z"].map(\.bytes)
        keys += (0..<12).map { "key/\($0)".bytes }
        keys += [[0], [0xFF], [0xFF, 0xFF], [0], long, long + [1], Array(long[..<490]), Array(long[..<489]) + [2]]
        self.keys = keys
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    mutating func key() -> [UInt8] { keys[below(keys.count)] }

    mutating func range() -> KeyRange {
        switch below(10) {
        case 0..<4: return .key(key())
        case 4: return KeyRange(lower: key(), upper: .unbounded)
        case 5: return .all
        default: return KeyRange(lower: key(), upper: .before(key()))
        }
    }

    mutating func value() -> [UInt8] {
        switch below(40) {
        case 0: generator.bytes(count: 5_000)
        case 1: generator.bytes(count: 2_100)
        case 2: []
        default: [UInt8](repeating: UInt8(below(3)), count: 15) + generator.bytes(count: below(6))
        }
    }

    mutating func put() -> PutRequest {
        var request = PutRequest(key: key(), value: value())
        if chance(30) { request.lease = leases[below(leases.count)] }
        if chance(2) { request.lease = LeaseID(rawValue: 99) }
        request.wantsPrevious = chance(30)
        request.ignoreValue = chance(8)
        request.ignoreLease = chance(8)
        return request
    }

    mutating func delete() -> DeleteRangeRequest {
        var request = DeleteRangeRequest(range: chance(70) ? .key(key()) : range())
        request.wantsPrevious = chance(50)
        return request
    }

    /// `newest` and `compacted` bound the revisions it mostly asks for.
    mutating func range(compacted: Int64, newest: Int64) -> RangeRequest {
        var request = RangeRequest(range: range())
        if chance(60) {
            request.revision = Int64.random(in: max(compacted - 3, -1)...newest + 1, using: &generator)
        }
        if chance(40) { request.limit = Int64(below(9)) }
        if chance(40) { request.sortOrder = RangeRequest.SortOrder(rawValue: UInt8(below(3)))! }
        if chance(40) { request.sortTarget = RangeRequest.SortTarget(rawValue: UInt8(below(5)))! }
        request.keysOnly = chance(20)
        request.countOnly = chance(10)
        if chance(10) { request.minModRevision = Int64.random(in: 0...newest, using: &generator) }
        if chance(10) { request.maxModRevision = Int64.random(in: 0...newest, using: &generator) }
        if chance(10) { request.minCreateRevision = Int64.random(in: 0...newest, using: &generator) }
        if chance(10) { request.maxCreateRevision = Int64.random(in: 0...newest, using: &generator) }
        return request
    }

    private mutating func compare(newest: Int64) -> Compare {
        let number = chance(50) ? Int64(below(3)) : Int64.random(in: 0...newest, using: &generator)
        let targets: [Compare.Target] = [
            .version(Int64(below(4))), .createRevision(number), .modRevision(number), .value(value()),
            .lease(LeaseID(rawValue: Int64(below(4)))),
        ]
        return Compare(
            range: chance(70) ? .key(key()) : range(), result: Compare.Result(rawValue: UInt8(below(4)))!,
            target: targets[below(targets.count)])
    }

    private mutating func operation(depth: Int, compacted: Int64, newest: Int64) -> RequestOp {
        switch below(10) {
        case 0..<4: .put(put())
        case 4..<6: .deleteRange(delete())
        case 6..<9 where chance(depth > 0 ? 60 : 100): .range(range(compacted: compacted, newest: newest - 1))
        default: depth > 0 ? .txn(txn(depth: depth - 1, compacted: compacted, newest: newest)) : .put(put())
        }
    }

    mutating func txn(depth: Int = 2, compacted: Int64, newest: Int64) -> TxnRequest {
        var request = TxnRequest()
        for _ in 0..<below(3) { request.compare.append(compare(newest: newest)) }
        for _ in 0..<below(4) {
            request.success.append(operation(depth: depth, compacted: compacted, newest: newest))
            request.failure.append(operation(depth: depth, compacted: compacted, newest: newest))
        }
        return request
    }

    /// Without anything that changes a key, at any depth.
    mutating func readOnlyTxn(depth: Int = 2, compacted: Int64, newest: Int64) -> TxnRequest {
        var request = TxnRequest()
        for _ in 0..<below(3) { request.compare.append(compare(newest: newest)) }
        for _ in 0..<below(4) {
            for branch in [\TxnRequest.success, \.failure] {
                let isNested = depth > 0 && chance(20)
                request[keyPath: branch].append(
                    isNested
                        ? .txn(readOnlyTxn(depth: depth - 1, compacted: compacted, newest: newest))
                        : .range(range(compacted: compacted, newest: newest)))
            }
        }
        return request
    }

    mutating func command(compacted: Int64, newest: Int64) -> TestCommand {
        switch below(100) {
        case 0..<55: return .put(put())
        case 55..<70: return .delete(delete())
        case 70..<97: return .txn(txn(compacted: compacted, newest: newest))
        case 97: return .revoke([leases[below(leases.count)], leases[below(leases.count)]])
        default:
            let target = Int64.random(in: max(newest - 60, 0)...newest, using: &generator)
            return .compact(chance(10) ? newest + 1 : chance(10) ? compacted : target)
        }
    }
}
