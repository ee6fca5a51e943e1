import StrakeModel
import StrakeStateMachine
import StrakeStore
import StrakeTemporaryDirectory
import Testing

struct SimpleTokenTests {
    private func token(_ name: String, _ index: UInt64) -> String { AuthDesk.token(prefix: name, index: index) }

    @Test(
        "a token says which entry has given it",
        arguments: [
            ("abc.12", 12), ("abc.0", 0), ("abc", nil), ("abc.", nil), ("abc.x", nil), ("abc.1.2", nil), ("", nil),
            ("a.b.12", nil), ("abc.-1", nil), ("abc.18446744073709551616", nil),
        ] as [(String, UInt64?)])
    func index(token: String, expected: UInt64?) {
        #expect(AuthDesk.index(ofToken: token) == expected)
    }

    @Test func `tokens are handed out by entries, and lost with the password`() throws {
        let directory = TemporaryDirectory(in: .memory)
        let running = try RunningStore(opening: StoreOptions(dataDirectory: directory.path + "/data"))
        defer { running.close() }
        // Then no entries but those of the test come.
        let ready = Awaited<Void>()
        running.store.whenReady { ready.set(()) }
        ready.value
        let client = Client(running.store)
        let (user, desk) = (AuthName("u"), running.store.auth)
        for command in [
            .userAdd(.root, hash: [1]), .userGrantRole(.root, role: .root), .userAdd(user, hash: [1]), .enable,
        ] as [AuthCommand] { try client.carryOut(.auth(command)) }
        #expect(desk.isEnabled)
        let revision = desk.revision
        try client.carryOut(.auth(.authenticate(user: user, tokenPrefix: "one", checkedAt: revision)))
        try client.carryOut(.auth(.authenticate(user: .root, tokenPrefix: "two", checkedAt: revision)))
        // JSON Web Tokens are none of the member's business.
        try client.carryOut(.auth(.authenticate(user: user, tokenPrefix: "", checkedAt: revision)))
        #expect(desk.tokenCount == 2)
        // What is applied is counted a moment later than it is answered, but before a read is let go.
        #expect(client.read() == nil)
        let last = running.store.status().appliedIndex
        let (one, two) = (token("one", last - 2), token("two", last - 1))
        #expect(desk.user(ofToken: one) == user && desk.user(ofToken: two) == .root)
        #expect(desk.user(ofToken: token("one", last)) == nil && desk.user(ofToken: "") == nil)
        // Of an entry that gave one, but with other letters, fewer or more.
        for other in ["onf", "on", "ones", ""] { #expect(desk.user(ofToken: token(other, last - 2)) == nil) }
        try client.carryOut(.auth(.userChangePassword(user, hash: [2])), as: .root)
        #expect(desk.user(ofToken: one) == nil && desk.user(ofToken: two) == .root)
        try client.carryOut(.auth(.disable), as: .root)
        #expect(desk.tokenCount == 0 && !desk.isEnabled)
    }
}

extension Client {
    /// As of the newest auth revision.
    fileprivate func carryOut(_ command: Command, as user: AuthName? = nil) throws {
        let result = wait(for: begin(command, as: user))
        guard case .auth? = result.outcome else { throw UnexpectedResult(result: result) }
    }
}

private struct UnexpectedResult: Error {
    var result: Client.Result
}
