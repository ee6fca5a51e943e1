import StrakeAuth
import StrakeFuzzing
import StrakeMVCC
import StrakeModel
import StrakeRaft
import StrakeSeededGenerator
import StrakeStateMachine
import Testing

/// Requests of many users and changes of what they may do, in one log: what is carried out is what a list of keys allows,
/// and what is refused changes nothing.
@Suite struct AuthModelTests {
    /// Entries; `STRAKE_FUZZ_CASES` sets a multiple of it.
    private static let entries = FuzzCases.count / 10

    private static let keys = ["a", "b", "c", "d"].map(\.bytes)
    private static let users = ["root", "ann", "bob"].map { AuthName($0) }
    private static let leases = (1...3).map { LeaseID(rawValue: $0) }

    /// Who may do what, key by key, as told by the commands that were carried out.
    private struct Model {
        var isEnabled = false
        var revision: UInt64 = 1
        var users: [AuthName: Set<AuthName>] = [:]
        var roles: [AuthName: [KeyRange: (keys: Set<[UInt8]>, kind: Int32)]] = [:]
        var keysOfLease: [LeaseID: Set<[UInt8]>] = [:]
        var leaseOfKey: [[UInt8]: LeaseID] = [:]

        func mayReach(_ key: [UInt8], _ kind: Int32, _ user: AuthName) -> Bool {
            users[user, default: []].contains { role in
                roles[role]?.values.contains { grant in
                    grant.keys.contains(key) && (grant.kind == kind || grant.kind == Permission.readWrite)
                } ?? false
            }
        }

        func isRoot(_ user: AuthName) -> Bool { users[user]?.contains(.root) ?? false }

        /// A put takes the key from the lease that it was on.
        mutating func put(_ key: [UInt8], on lease: LeaseID) {
            delete(key)
            guard lease != .none else { return }
            keysOfLease[lease]?.insert(key)
            leaseOfKey[key] = lease
        }

        mutating func delete(_ key: [UInt8]) {
            if let lease = leaseOfKey.removeValue(forKey: key) { keysOfLease[lease]?.remove(key) }
        }
    }

    /// What a request wants of which keys, flattened.
    fileprivate struct Wish {
        var reads: Set<[UInt8]> = []
        var writes: Set<[UInt8]> = []
        var leases: Set<LeaseID> = []
        var puts: [(key: [UInt8], lease: LeaseID)] = []
        var deletes: [[UInt8]] = []
        var command: Command
    }

    private func pick<Element>(_ elements: [Element], _ random: inout SeededGenerator) -> Element {
        elements[random.below(elements.count)]
    }

    /// Neighbours among the keys, as a range and one by one.
    private func range(_ random: inout SeededGenerator) -> (range: KeyRange, keys: Set<[UInt8]>) {
        let from = random.below(Self.keys.count)
        guard random.chance(50) else { return (.key(Self.keys[from]), [Self.keys[from]]) }
        let to = from + 1 + random.below(Self.keys.count - from)
        let end = to < Self.keys.count ? Self.keys[to] : "e".bytes
        // Between any two of the keys there are others: a range has them, and all of its keys one by one have not.
        let between = Self.keys[from..<to].map { $0 + [0x2e] }
        return (KeyRange(lower: Self.keys[from], upper: .before(end)), Set(Self.keys[from..<to] + between))
    }

    private func operation(_ wish: inout Wish, _ model: Model, depth: Int, _ random: inout SeededGenerator) -> RequestOp
    {
        switch random.below(depth > 0 ? 4 : 3) {
        case 0:
            let (range, keys) = range(&random)
            wish.reads.formUnion(keys)
            return .range(RangeRequest(range: range))
        case 1:
            // One key of one transaction is put once.
            let key = pick(Self.keys.filter { key in !wish.puts.contains { $0.key == key } } + ["z".bytes], &random)
            guard key != "z".bytes else { return .range(RangeRequest(range: .key(Self.keys[0]))).noting(&wish) }
            let known = model.keysOfLease.keys.sorted { $0.rawValue < $1.rawValue }
            let lease: LeaseID = random.chance(40) && !known.isEmpty ? pick(known, &random) : .none
            var put = PutRequest(key: key, value: [1], lease: lease)
            put.wantsPrevious = random.chance(30)
            wish.writes.insert(key)
            if put.wantsPrevious { wish.reads.insert(key) }
            if lease != .none { wish.leases.insert(lease) }
            wish.puts.append((key, lease))
            return .put(put)
        case 2: return .range(RangeRequest(range: .key(pick(Self.keys, &random)))).noting(&wish)
        default:
            var inner = TxnRequest()
            inner.success = [operation(&wish, model, depth: depth - 1, &random)]
            return .txn(inner)
        }
    }

    private func request(_ model: Model, _ random: inout SeededGenerator) -> Wish {
        var wish = Wish(command: .compact(revision: 0, physical: false))
        let oldest = model.keysOfLease.keys.min { $0.rawValue < $1.rawValue }
        switch random.below(4) {
        case 0:
            let (range, keys) = range(&random)
            var delete = DeleteRangeRequest(range: range)
            delete.wantsPrevious = random.chance(30)
            wish.writes = keys
            if delete.wantsPrevious { wish.reads = keys }
            wish.deletes = Array(keys)
            wish.command = .deleteRange(delete)
        case 1 where oldest != nil && random.chance(30):
            let lease = oldest!
            wish.leases = [lease]
            wish.deletes = Array(model.keysOfLease[lease]!)
            wish.command = .leaseRevoke(lease)
        default:
            var txn = TxnRequest()
            let compared = pick(Self.keys, &random)
            wish.reads = [compared]
            // Always so, and the other branch counts all the same.
            txn.compare = [Compare(range: .key(compared), result: .greater, target: .createRevision(-1))]
            for _ in 0...random.below(2) { txn.success.append(operation(&wish, model, depth: 2, &random)) }
            if random.chance(30) {
                let (range, keys) = range(&random)
                wish.writes.formUnion(keys)
                txn.failure = [.deleteRange(DeleteRangeRequest(range: range))]
            }
            wish.command = .txn(txn)
        }
        return wish
    }

    /// What the keys say; nil: it may be done.
    private func denial(_ wish: Wish, _ model: Model, _ identity: RequestIdentity?) -> Bool {
        guard model.isEnabled else { return false }
        guard let identity, !identity.user.isEmpty else { return true }
        if case .leaseRevoke = wish.command, model.isRoot(identity.user) { return false }
        let needsNothing =
            wish.reads.isEmpty && wish.writes.isEmpty && wish.leases.allSatisfy { model.keysOfLease[$0]!.isEmpty }
        if needsNothing { return false }
        guard identity.authRevision >= model.revision, model.users[identity.user] != nil else { return true }
        if model.isRoot(identity.user) { return false }
        let writes = wish.leases.reduce(wish.writes) { $0.union(model.keysOfLease[$1]!) }
        return !wish.reads.allSatisfy { model.mayReach($0, Permission.read, identity.user) }
            || !writes.allSatisfy { model.mayReach($0, Permission.write, identity.user) }
    }

    private func authCommand(_ model: inout Model, _ random: inout SeededGenerator) -> AuthCommand {
        model.revision += 1
        let (user, role) = (pick(Self.users, &random), AuthName(["r", "s"][random.below(2)]))
        switch random.below(8) {
        case 0 where user != .root && model.users[user] != nil:
            model.users[user] = nil
            return .userDelete(user)
        case 1 where model.users[user]?.contains(role) == true:
            model.users[user]?.remove(role)
            return .userRevokeRole(user, role: role)
        case 2, 3, 4:
            let (range, keys) = range(&random)
            let kind = Int32(random.below(3))
            model.roles[role]?[range] = (keys, kind)
            let end: [UInt8] = if case .before(let end) = range.upper { end } else { [] }
            return .roleGrantPermission(role, Permission(kind: kind, key: range.lower, rangeEnd: end))
        default:
            if model.users[user] == nil {
                model.users[user] = []
                return .userAdd(user, hash: [1])
            }
            if model.users[user]?.insert(role).inserted == false { model.revision -= 1 }
            return .userGrantRole(user, role: role)
        }
    }

    @Test func `whatever order requests and changes of rights come in, each is judged by what is before it`() throws {
        let seed = SeededGenerator.seed(of: "requests and rights in one log")
        var random = SeededGenerator(seed: seed)
        let machine = try Machine()
        var model = Model()
        var index = Machine.founding.last.index.rawValue
        func apply(_ command: Command, _ identity: RequestIdentity?) throws -> Outcome? {
            index += 1
            let outcome = try machine.machine.apply(Entry(index, command, as: identity))
            machine.machine.store.publish()
            return outcome
        }
        for command in [
            .userAdd(.root, hash: [1]), .userGrantRole(.root, role: .root), .roleAdd("r"), .roleAdd("s"), .enable,
        ] as [AuthCommand] { _ = try apply(.auth(command), nil) }
        model.users[.root] = [.root]
        model.roles = ["r": [:], "s": [:]]
        (model.isEnabled, model.revision) = (true, machine.machine.auth.revision)
        var counts = [true: 0, false: 0]
        for number in 0..<Self.entries {
            let asRoot = RequestIdentity(user: .root, authRevision: model.revision)
            for lease in Self.leases where model.keysOfLease[lease] == nil {
                _ = try apply(.leaseGrant(id: lease, ttlSeconds: 100), asRoot)
                model.keysOfLease[lease] = []
            }
            if random.chance(25) {
                let old = asRoot
                let outcome = try apply(.auth(authCommand(&model, &random)), old)
                if case .refused(let error)? = outcome { Issue.record("\(error) of root, seed \(seed)") }
                #expect(machine.machine.auth.revision == model.revision, "seed \(seed)")
                continue
            }
            let wish = request(model, &random)
            let revision = random.chance(10) ? model.revision - 1 : model.revision
            let user = random.chance(4) ? AuthName("") : pick(Self.users, &random)
            let identity = random.chance(4) ? nil : RequestIdentity(user: user, authRevision: revision)
            let before = machine.machine.store.revision
            let outcome = try apply(wish.command, identity)
            var isRefused = false
            if case .refused? = outcome { isRefused = true }
            guard isRefused == denial(wish, model, identity) else {
                Issue.record(
                    "\(wish.command) by \(String(describing: identity)): \(String(describing: outcome)), seed \(seed), \(number)"
                )
                return
            }
            counts[isRefused, default: 0] += 1
            if isRefused {
                let after = machine.machine.store.revision
                #expect(after == before, "a refused request changed something, seed \(seed)")
                continue
            }
            for (key, lease) in wish.puts { model.put(key, on: lease) }
            for key in wish.deletes { model.delete(key) }
            if case .leaseRevoke(let lease) = wish.command { model.keysOfLease[lease] = nil }
        }
        #expect(counts[true]! > Self.entries / 10 && counts[false]! > Self.entries / 10, "\(counts)")
    }
}

extension RequestOp {
    /// A read of one key, and that it is one.
    fileprivate func noting(_ wish: inout AuthModelTests.Wish) -> RequestOp {
        if case .range(let range) = self { wish.reads.insert(range.range.lower) }
        return self
    }
}

extension AuthName: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(text) }
}
