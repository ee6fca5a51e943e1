import StrakeAuth
import StrakeFuzzing
import StrakeModel
import StrakeSeededGenerator
import Testing

/// Users, roles and permissions against a model that is too simple to be wrong: what somebody may do is asked key by key.
@Suite struct PermissionModelTests {
    /// Commands; `STRAKE_FUZZ_CASES` sets a multiple of it.
    private static let commands = FuzzCases.count / 10

    private struct Model {
        struct User {
            var hasPassword: Bool
            var roles: Set<AuthName> = []
        }

        struct Range: Hashable {
            var key: [UInt8]
            var end: [UInt8]
        }

        var isEnabled = false
        var revision: UInt64 = 1
        var users: [AuthName: User] = [:]
        var roles: [AuthName: [Range: Int32]] = [:]

        /// Nil: carried out.
        mutating func apply(_ command: AuthCommand) -> StoreError? {
            let old = self
            let refusal = carryOut(command)
            if refusal != nil { self = old }
            return refusal
        }

        private mutating func carryOut(_ command: AuthCommand) -> StoreError? {
            revision += 1
            switch command {
            case .enable:
                revision -= 1
                if isEnabled { return nil }
                guard let root = users[.root] else { return .rootUserMissing }
                guard root.roles.contains(.root) else { return .rootRoleMissing }
                isEnabled = true
            case .disable:
                if !isEnabled { revision -= 1 }
                isEnabled = false
            case .authenticate(let name, _, let checked):
                revision -= 1
                if !isEnabled { return .authNotEnabled }
                if checked != revision { return .authRevisionOld }
                return users[name]?.hasPassword == true ? nil : .authFailed
            case .userAdd(let name, let hash):
                if name.isEmpty { return .userEmpty }
                if users[name] != nil { return .userExists }
                users[name] = User(hasPassword: hash != nil)
            case .userDelete(let name):
                if isEnabled, name == .root { return .invalidAuthManagement }
                return users.removeValue(forKey: name) == nil ? .userNotFound : nil
            case .userChangePassword(let name, _): return users[name] == nil ? .userNotFound : nil
            case .userGrantRole(let name, let role):
                if users[name] == nil { return .userNotFound }
                if role != .root, roles[role] == nil { return .roleNotFound }
                if users[name]?.roles.insert(role).inserted == false { revision -= 1 }
            case .userRevokeRole(let name, let role):
                if isEnabled, name == .root, role == .root { return .invalidAuthManagement }
                if users[name] == nil { return .userNotFound }
                return users[name]?.roles.remove(role) == nil ? .roleNotGranted : nil
            case .roleAdd(let name):
                if name.isEmpty { return .roleEmpty }
                if roles[name] != nil { return .roleExists }
                roles[name] = [:]
            case .roleDelete(let name):
                if isEnabled, name == .root { return .invalidAuthManagement }
                if roles.removeValue(forKey: name) == nil { return .roleNotFound }
                for user in users.keys { users[user]?.roles.remove(name) }
            case .roleGrantPermission(let name, let permission):
                if permission.key.isEmpty || permission.range.isEmpty { return .invalidAuthManagement }
                if roles[name] == nil { return .roleNotFound }
                roles[name]?[Range(key: permission.key, end: permission.rangeEnd)] = permission.kind
            case .roleRevokePermission(let name, let key, let end):
                if roles[name] == nil { return .roleNotFound }
                return roles[name]?.removeValue(forKey: Range(key: key, end: end)) == nil ? .permissionNotGranted : nil
            }
            return nil
        }

        func allows(_ access: AuthStore.Access, _ key: [UInt8], by user: AuthName) -> Bool {
            let kinds: [Int32] =
                switch access {
                case .reading: [Permission.read, Permission.readWrite]
                case .writing: [Permission.write, Permission.readWrite]
                }
            return users[user]?.roles.contains { role in
                roles[role]?.contains { range, kind in
                    kinds.contains(kind) && KeyRange(key: range.key, rangeEnd: range.end).contains(key)
                } ?? false
            } ?? false
        }
    }

    /// Keys of at most two of these letters are named in permissions and questions. All that can tell two such ranges apart
    /// is at one of those keys or right behind it, so it is enough to look at keys of three letters.
    private static let letters: [UInt8] = [0, 0x61, 0x62, 0xff]
    private static let named = letters.map { [$0] } + letters.flatMap { a in letters.map { [a, $0] } }
    private static let points = named + named.flatMap { key in letters.map { key + [$0] } }
    private static let names = ["root", "ann", "bob", "", "é"].map { AuthName($0) }

    private func pick<Element>(_ elements: [Element], _ random: inout SeededGenerator) -> Element {
        elements[random.below(elements.count)]
    }

    private func range(_ random: inout SeededGenerator) -> (key: [UInt8], end: [UInt8]) {
        let key = random.chance(3) ? [] : pick(Self.named, &random)
        return (key, [[], [0], pick(Self.named, &random), key + [0]][random.below(4)])
    }

    private func command(_ model: Model, _ random: inout SeededGenerator) -> AuthCommand {
        let (name, role) = (pick(Self.names, &random), pick(Self.names, &random))
        let (key, end) = range(&random)
        switch random.below(26) {
        case 0, 1: return .enable
        case 2: return random.chance(30) ? .disable : .enable
        case 3: return .authenticate(user: name, tokenPrefix: "", checkedAt: model.revision &- UInt64(random.below(2)))
        case 4, 5: return .userAdd(name, hash: random.chance(70) ? [1] : nil)
        case 6: return random.chance(30) ? .userDelete(name) : .userChangePassword(name, hash: [2])
        case 7, 8, 9: return .userGrantRole(name, role: role)
        case 10: return .userRevokeRole(name, role: role)
        case 11, 12: return .roleAdd(role)
        case 13: return random.chance(20) ? .roleDelete(role) : .roleAdd(role)
        case 14..<21:
            let permission = Permission(kind: Int32(random.below(4)), key: key, rangeEnd: end)
            return .roleGrantPermission(role, permission)
        default:
            // One that is there, mostly.
            let granted = model.roles[role].map { $0.keys.sorted { ($0.key, $0.end) < ($1.key, $1.end) } } ?? []
            guard let known = granted.isEmpty || random.chance(20) ? nil : pick(granted, &random) else {
                return .roleRevokePermission(role, key: key, rangeEnd: end)
            }
            return .roleRevokePermission(role, key: known.key, rangeEnd: known.end)
        }
    }

    /// What the rules say of a question, key by key.
    private func expected(
        _ model: Model, _ access: AuthStore.Access, _ range: KeyRange, _ identity: RequestIdentity?
    ) -> StoreError? {
        guard model.isEnabled else { return nil }
        guard let identity, identity.authRevision > 0 else { return .userEmpty }
        if identity.authRevision < model.revision { return .authRevisionOld }
        guard let user = model.users[identity.user] else { return .permissionDenied }
        if user.roles.contains(.root) { return nil }
        // Where no key can be the range has to begin inside of what is allowed.
        let keys = range.isEmpty ? [range.lower] : Self.points.filter(range.contains)
        return keys.allSatisfy { model.allows(access, $0, by: identity.user) } ? nil : .permissionDenied
    }

    @Test func `after any commands everybody may do just what the keys of his permissions say`() throws {
        let seed = SeededGenerator.seed(of: "commands of users and roles")
        var random = SeededGenerator(seed: seed)
        var (store, model) = (AuthStore(), Model())
        var answers: [Bool: Int] = [:]
        for number in 0..<Self.commands {
            // A store that has seen everything refuses most of what is new.
            if number % 500 == 0 { (store, model) = (AuthStore(), Model()) }
            let command = command(model, &random)
            var refusal: StoreError?
            do throws(StoreError) { try store.apply(command) } catch { refusal = error }
            let wanted = model.apply(command)
            guard refusal == wanted, store.isEnabled == model.isEnabled, store.revision == model.revision else {
                Issue.record(
                    "\(command) came to \(String(describing: refusal)), not \(String(describing: wanted)): seed \(seed)"
                )
                return
            }
            for _ in 0..<8 {
                let (key, end) = range(&random)
                let range = KeyRange(key: key.isEmpty ? [0] : key, rangeEnd: end)
                let user = pick(Self.names, &random)
                let revision = random.chance(10) ? UInt64(random.below(3)) : model.revision
                let identity = random.chance(5) ? nil : RequestIdentity(user: user, authRevision: revision)
                let access = random.chance(50) ? AuthStore.Access.reading : .writing
                var denial: StoreError?
                do throws(StoreError) { try store.require(access, of: range, by: identity) } catch { denial = error }
                let right = expected(model, access, range, identity)
                guard denial == right else {
                    Issue.record(
                        "\(access) of \(range) by \(String(describing: identity)): \(String(describing: denial)), not \(String(describing: right)); seed \(seed)"
                    )
                    return
                }
                if model.isEnabled, model.users[user]?.roles.contains(.root) == false {
                    answers[denial == nil, default: 0] += 1
                }
            }
            if number % 50 == 0 { try checkCopy(of: store, seed) }
        }
        #expect(
            answers[true, default: 0] > Self.commands / 50 && answers[false, default: 0] > Self.commands / 5,
            "\(answers)")
    }

    /// What is read back from the records is the same store.
    private func checkCopy(of store: AuthStore, _ seed: UInt64) throws {
        let users = try store.allUsers.map { try #require(AuthRecord.decodeUser(AuthRecord.encode($0))) }
        let roles = try store.allRoles.map { try #require(AuthRecord.decodeRole(AuthRecord.encode($0))) }
        let copy = AuthStore(isEnabled: store.isEnabled, revision: store.revision, users: users, roles: roles)
        #expect(copy.digest == store.digest && copy.allUsers == store.allUsers, "seed \(seed)")
    }
}

/// Byte order of pairs.
private func < (left: ([UInt8], [UInt8]), right: ([UInt8], [UInt8])) -> Bool {
    left.0 == right.0 ? left.1.precedes(right.1) : left.0.precedes(right.0)
}
