import StrakeModel
import StrakeRaft
import StrakeSeededGenerator

/// Entries of every kind, over a few keys and leases.
struct RandomEntries {
    var generator: SeededGenerator
    private var index = Machine.founding.last.index.rawValue
    /// At most what a store that applied the entries so far has reached, and at least what it can compact to.
    private var puts: Int64 = 1
    private var hasLearner = false

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func next() -> Entry {
        index += 1
        let id = EntryID(term: Term(rawValue: 1), index: LogIndex(rawValue: index))
        switch generator.below(200) {
        case 0: return Entry(id: id, kind: .empty, data: [])
        case 1:
            let learner = MemberID(rawValue: 9)
            let change = ConfigurationChange([hasLearner ? .remove(learner) : .addLearner(learner)], context: [])
            hasLearner.toggle()
            return Entry(id: id, kind: .configuration, data: change.encoded())
        default: return Entry(index, command())
        }
    }

    private mutating func command() -> Command {
        let lease = LeaseID(rawValue: Int64(1 + generator.below(4)))
        switch generator.below(100) {
        case 0..<50:
            puts += 1
            return .put(put())
        case 50..<65: return .deleteRange(DeleteRangeRequest(range: .key(key())))
        case 65..<80:
            var txn = TxnRequest()
            txn.compare = [Compare(range: .key(key()), result: .greater, target: .version(Int64(generator.below(3))))]
            txn.success = [.put(put()), .deleteRange(DeleteRangeRequest(range: .key("t".bytes)))]
            txn.failure = [.put(PutRequest(key: "t".bytes, value: generator.bytes(count: 3)))]
            return .txn(txn)
        case 80..<84:
            return .compact(revision: Int64.random(in: puts / 2...puts, using: &generator), physical: false)
        case 84..<86: return .auth(auth())
        case 86..<89: return .leaseGrant(id: lease, ttlSeconds: Int64(10 + generator.below(3)))
        case 89..<92: return .leaseRevoke(lease)
        case 92..<97:
            return .leaseCheckpoint([LeaseCheckpoint(id: lease, remainingSeconds: Int64(generator.below(12)))])
        default:
            return .alarm(
                AlarmCommand(
                    action: generator.chance(50) ? .activate : .deactivate, member: UInt64(generator.below(3)),
                    alarm: 7))
        }
    }

    /// Without `enable`, after which nobody here would be let in.
    private mutating func auth() -> AuthCommand {
        let (user, role) = (AuthName("u\(generator.below(4))"), AuthName("r\(generator.below(4))"))
        switch generator.below(8) {
        case 0, 1: return .userAdd(user, hash: generator.chance(50) ? generator.bytes(count: 6) : nil)
        case 2: return .userDelete(user)
        case 3: return .userGrantRole(user, role: role)
        case 4: return .roleAdd(role)
        case 5: return generator.chance(50) ? .roleDelete(role) : .userRevokeRole(user, role: role)
        case 6: return .roleGrantPermission(role, Permission(kind: Int32(generator.below(3)), key: key()))
        default: return .roleRevokePermission(role, key: key(), rangeEnd: [])
        }
    }

    private mutating func key() -> [UInt8] { "key\(generator.below(20))".bytes }

    private mutating func put() -> PutRequest {
        var put = PutRequest(key: key(), value: generator.bytes(upTo: generator.chance(5) ? 5_000 : 30))
        if generator.chance(20) { put.lease = LeaseID(rawValue: Int64(1 + generator.below(4))) }
        return put
    }
}
