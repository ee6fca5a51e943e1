internal import StrakeModel
internal import StrakeSeededGenerator

// Random commands of every kind, with the numbers at which encodings go wrong.

extension SeededGenerator {
    mutating func number() -> Int64 {
        let edges: [Int64] = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, .max, .min]
        return chance(60) ? edges[below(edges.count)] : Int64(bitPattern: next() >> UInt64(below(64)))
    }

    mutating func bytes() -> [UInt8] {
        let counts = [0, 1, 2, 7, 127, 128, 300]
        return (0..<counts[below(counts.count)]).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    mutating func strings() -> [String] {
        (0..<below(3)).map { _ in ["", "http://10.0.0.1:2380", "größe", "名前"][below(4)] }
    }

    mutating func range() -> KeyRange {
        switch below(3) {
        case 0: .key(bytes())
        case 1: KeyRange(lower: bytes(), upper: .before(bytes()))
        default: KeyRange(lower: bytes(), upper: .unbounded)
        }
    }

    mutating func put() -> PutRequest {
        var put = PutRequest(key: bytes(), value: bytes(), lease: LeaseID(rawValue: number()))
        put.wantsPrevious = chance(50)
        put.ignoreValue = chance(50)
        put.ignoreLease = chance(50)
        return put
    }

    mutating func delete() -> DeleteRangeRequest {
        var delete = DeleteRangeRequest(range: range())
        delete.wantsPrevious = chance(50)
        return delete
    }

    mutating func read() -> RangeRequest {
        var read = RangeRequest(range: range())
        read.limit = number()
        read.revision = number()
        read.sortOrder = RangeRequest.SortOrder(rawValue: UInt8(below(3)))!
        read.sortTarget = RangeRequest.SortTarget(rawValue: UInt8(below(5)))!
        read.isSerializable = chance(50)
        read.keysOnly = chance(50)
        read.countOnly = chance(50)
        read.minModRevision = number()
        read.maxModRevision = number()
        read.minCreateRevision = number()
        read.maxCreateRevision = number()
        return read
    }

    mutating func compare() -> Compare {
        let targets: [Compare.Target] = [
            .version(number()), .createRevision(number()), .modRevision(number()), .value(bytes()),
            .lease(LeaseID(rawValue: number())),
        ]
        return Compare(
            range: range(), result: Compare.Result(rawValue: UInt8(below(4)))!, target: targets[below(targets.count)])
    }

    mutating func operation(depth: Int) -> RequestOp {
        switch below(depth < 4 ? 4 : 3) {
        case 0: .put(put())
        case 1: .deleteRange(delete())
        case 2: .range(read())
        default: .txn(txn(depth: depth + 1))
        }
    }

    mutating func txn(depth: Int = 1) -> TxnRequest {
        var txn = TxnRequest()
        for _ in 0..<below(4) { txn.compare.append(compare()) }
        for _ in 0..<below(4) { txn.success.append(operation(depth: depth)) }
        for _ in 0..<below(3) { txn.failure.append(operation(depth: depth)) }
        return txn
    }

    mutating func command() -> Command {
        switch below(11) {
        case 0: .put(put())
        case 1: .deleteRange(delete())
        case 2: .txn(txn())
        case 3: .compact(revision: number(), physical: chance(50))
        case 4: .leaseGrant(id: LeaseID(rawValue: number()), ttlSeconds: number())
        case 5: .leaseRevoke(LeaseID(rawValue: number()))
        case 6: .leaseExpire(ids: (0..<below(5)).map { _ in LeaseID(rawValue: number()) }, term: next())
        case 7:
            .leaseCheckpoint(
                (0..<below(5)).map { _ in LeaseCheckpoint(id: LeaseID(rawValue: number()), remainingSeconds: number()) }
            )
        case 8:
            .alarm(
                AlarmCommand(
                    action: AlarmCommand.Action(rawValue: UInt8(below(3)))!, member: next(),
                    alarm: Int32(truncatingIfNeeded: number())))
        case 9: .auth(auth())
        default:
            .setMember(
                MemberAttributes(id: next(), name: "m\(below(9))", peerURLs: strings(), clientURLs: strings()))
        }
    }

    mutating func name() -> AuthName { AuthName(utf8: bytes()) }

    mutating func auth() -> AuthCommand {
        switch below(12) {
        case 0: .enable
        case 1: .disable
        case 2: .authenticate(user: name(), tokenPrefix: strings().joined(), checkedAt: next())
        case 3: .userAdd(name(), hash: chance(50) ? bytes() : nil)
        case 4: .userDelete(name())
        case 5: .userChangePassword(name(), hash: bytes())
        case 6: .userGrantRole(name(), role: name())
        case 7: .userRevokeRole(name(), role: name())
        case 8: .roleAdd(name())
        case 9: .roleDelete(name())
        case 10:
            .roleGrantPermission(
                name(), Permission(kind: Int32(truncatingIfNeeded: number()), key: bytes(), rangeEnd: bytes()))
        default: .roleRevokePermission(name(), key: bytes(), rangeEnd: bytes())
        }
    }

    mutating func proposal() -> ProposedCommand {
        ProposedCommand(
            id: ProposalID(rawValue: next()),
            as: chance(30) ? RequestIdentity(user: name(), authRevision: next()) : nil, command: command())
    }
}
