internal import StrakeClient
internal import Synchronization

/// Who asks, by the flags --user and --password and those of a command that connects to another cluster too.
final class CommandUsers: Sendable {
    private let arguments: CommandArguments
    /// Passwords that were asked for, by the flags' prefix: a command that makes several clients asks once.
    private let asked = Mutex<[String: String]>([:])

    init(_ arguments: CommandArguments) {
        self.arguments = arguments
    }

    /// - Parameter prefix: Of the flags.
    func credentials(_ prefix: String) -> StrakeClient.Credentials? {
        Self.credentials(
            user: arguments.text(prefix + "user"), password: arguments.text(prefix + "password"),
            ask: { self.ask(prefix) })
    }

    /// From `name` or `name:password`. Nil: nobody is named. Without a password it is nobody too, as for etcdctl.
    ///
    /// - Parameter ask: For the password, when it is in neither.
    static func credentials(user: String, password: String, ask: () -> String) -> StrakeClient.Credentials? {
        guard !user.isEmpty else { return nil }
        guard password.isEmpty else { return StrakeClient.Credentials(user: user, password: password) }
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let credentials = StrakeClient.Credentials(
            user: parts[0], password: parts.count == 2 ? parts[1] : ask())
        return credentials.user.isEmpty || credentials.password.isEmpty ? nil : credentials
    }

    private func ask(_ prefix: String) -> String {
        asked.withLock { asked in
            if let password = asked[prefix] { return password }
            let password = PasswordPrompt.ask(prefix.isEmpty ? "Password: " : "Destination Password: ")
            asked[prefix] = password
            return password
        }
    }
}
