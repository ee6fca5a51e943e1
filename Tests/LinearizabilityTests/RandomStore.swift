import StrakeLinearizability
import StrakeSeededGenerator

/// A store that carries out one operation at a time, at a random moment between its start and its answer.
struct RandomStore {
    private var random: SeededGenerator
    private let tellsRevisions: Bool
    private var keys: [Int: Operation.Observation] = [:]
    private var revision: Int64 = 1
    private var lastValue: UInt64 = 0

    init(seed: UInt64, tellsRevisions: Bool) {
        random = SeededGenerator(seed: seed)
        self.tellsRevisions = tellsRevisions
    }

    /// Operation `n` takes effect at time 10 n. Some are never answered, and some of those never take effect.
    mutating func history(count: Int) -> [Operation] {
        var operations: [Operation] = []
        for place in 1...count {
            let effect = Int64(place) * 10
            let (invoked, returned) = (effect - below(60), effect + below(60))
            let key = Int(below(3))
            let request = request(key)
            let isAnswered = below(8) != 0
            let takesEffect = isAnswered || below(2) == 0
            let before = (keys[key], revision)
            let outcome = takesEffect ? apply(request, key) : .unknown
            if !takesEffect { precondition(before == (keys[key], revision)) }
            operations.append(
                Operation(
                    client: place, key: key, request: request, outcome: isAnswered ? outcome : .unknown,
                    revision: isAnswered && tellsRevisions ? revision : nil, invoked: invoked, returned: returned))
        }
        return operations
    }

    private mutating func below(_ bound: Int64) -> Int64 { Int64.random(in: 0..<bound, using: &random) }

    private mutating func request(_ key: Int) -> Operation.Request {
        lastValue += 1
        switch below(10) {
        case 0..<4: return .get
        case 4..<7: return .put(value: lastValue)
        case 7: return .delete
        default:
            let right = keys[key]?.modRevision ?? 0
            return .compareAndSet(modRevision: below(3) == 0 ? right + 1 : right, value: lastValue)
        }
    }

    private mutating func apply(_ request: Operation.Request, _ key: Int) -> Operation.Outcome {
        switch request {
        case .get: return .read(keys[key])
        case .put(let value):
            put(value, key)
            return .written
        case .delete:
            guard keys.removeValue(forKey: key) != nil else { return .deleted(count: 0) }
            revision += 1
            return .deleted(count: 1)
        case .compareAndSet(let wanted, let value):
            guard wanted == keys[key]?.modRevision ?? 0 else { return .read(keys[key]) }
            put(value, key)
            return .written
        }
    }

    private mutating func put(_ value: UInt64, _ key: Int) {
        revision += 1
        let old = keys[key]
        keys[key] = Operation.Observation(
            value: value, createRevision: old?.createRevision ?? revision, modRevision: revision,
            version: (old?.version ?? 0) + 1)
    }

    // MARK: Spoiling

    /// Changes one answer to one that no order explains, and says how. Nil: this history offers no place for it.
    mutating func spoil(_ history: inout [Operation]) -> String? {
        let reads = history.indices.filter { history[$0].seen != nil && history[$0].request == .get }
        guard let place = reads.randomElement(using: &random), var seen = history[place].seen else { return nil }
        switch below(5) {
        case 0:
            seen.value = lastValue + 1
            history[place].outcome = .read(seen)
            return "a value that nobody wrote"
        case 1:
            seen.version += 1 + below(3)
            seen.createRevision = min(seen.createRevision, seen.modRevision - 1)
            // More puts than were ever made.
            seen.version += Int64(history.count)
            history[place].outcome = .read(seen)
            return "a version too high"
        case 2:
            history[place].revision = history[place].revision.map { max(1, $0 - 30) }
            let stale = history.contains {
                $0.isAnswered && $0.returned < history[place].invoked && $0.revision! > history[place].revision!
            }
            return stale ? "a revision that went back" : nil
        case 3:
            // All reads of the key after an answered delete of another life are untouched; this one shows the past.
            let earlier = history.filter {
                $0.key == history[place].key && $0.seen != nil && $0.seen!.modRevision < seen.modRevision
            }
            guard let old = earlier.randomElement(using: &random)?.seen else { return nil }
            // Only if the newer value's put had been answered before the read began.
            let isOver = history.contains {
                $0.key == history[place].key && $0.isEffective && $0.revision! > old.modRevision
                    && $0.returned < history[place].invoked
            }
            guard isOver else { return nil }
            history[place].outcome = .read(old)
            return "a stale value"
        default:
            let changes = history.indices.filter { history[$0].isEffective }
            guard changes.count > 1 else { return nil }
            let pair = changes.shuffled(using: &random).prefix(2)
            history[pair[0]].revision = history[pair[1]].revision
            return "one revision for two changes"
        }
    }
}

extension Operation {
    var seen: Observation? { if case .read(let seen) = outcome { seen } else { nil } }
}
