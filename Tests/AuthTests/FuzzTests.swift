import StrakeAuth
import StrakeFuzzing
import StrakeModel
import StrakeSeededGenerator
import Testing

/// Records of users and roles as a damaged file would have them.
@Suite struct FuzzTests {
    private func user(_ random: inout SeededGenerator) -> User {
        let roles = Set((0..<random.below(4)).map { _ in AuthName(utf8: random.bytes(upTo: 6)) }).sorted()
        let hash = random.chance(70) ? random.bytes(upTo: 60) : nil
        return User(name: AuthName(utf8: [1] + random.bytes(upTo: 8)), passwordHash: hash, roles: roles)
    }

    private func role(_ random: inout SeededGenerator) -> Role {
        let permissions = (0..<random.below(4)).map { _ in
            Permission(
                kind: Int32(truncatingIfNeeded: random.next()), key: random.bytes(upTo: 8),
                rangeEnd: random.bytes(upTo: 8))
        }
        return Role(name: AuthName(utf8: [2] + random.bytes(upTo: 8)), permissions: permissions)
    }

    @Test func `records are read as they were written, and damaged ones as what would be written so or not at all`() {
        let seed = SeededGenerator.seed(of: "records of users and roles")
        var random = SeededGenerator(seed: seed)
        let damage = Damage()
        var (refused, read) = (0, 0)
        for _ in 0..<FuzzCases.count {
            let (user, role) = (user(&random), role(&random))
            let isEnabled = random.chance(50)
            let revision = UInt64(1 + random.below(1 << 40))
            var records = [
                AuthRecord.encode(user), AuthRecord.encode(role),
                AuthRecord.encodeHead(isEnabled: isEnabled, revision: revision),
            ]
            let head = AuthRecord.decodeHead(records[2])
            guard AuthRecord.decodeUser(records[0]) == user, AuthRecord.decodeRole(records[1]) == role,
                head?.isEnabled == isEnabled, head?.revision == revision
            else {
                Issue.record("a record is not read as it was written, seed \(seed): \(records)")
                return
            }
            let place = random.below(records.count)
            damage.apply(to: &records[place], &random)
            let bytes = records[place]
            // Each record is shown to all readers: which one it is for stands in its key alone.
            let written = [
                AuthRecord.decodeUser(bytes).map(AuthRecord.encode),
                AuthRecord.decodeRole(bytes).map(AuthRecord.encode),
                AuthRecord.decodeHead(bytes).map {
                    AuthRecord.encodeHead(isEnabled: $0.isEnabled, revision: $0.revision)
                },
            ]
            for case let again? in written where again != bytes {
                Issue.record("read from \(bytes) and written as \(again), seed \(seed)")
                return
            }
            if written.allSatisfy({ $0 == nil }) { refused += 1 } else { read += 1 }
        }
        // Damage that nothing survives, or everything, tests little.
        #expect(
            refused > FuzzCases.count / 20 && read > FuzzCases.count / 20, "\(refused) were refused, \(read) were read")
    }
}
