package import StrakeModel

package struct User: Hashable, Sendable {
    package var name: AuthName
    /// A bcrypt hash; nil: the user has no password, and comes in by a certificate.
    package var passwordHash: [UInt8]?
    /// Ascending, each once.
    package var roles: [AuthName]

    package init(name: AuthName, passwordHash: [UInt8]?, roles: [AuthName] = []) {
        self.name = name
        self.passwordHash = passwordHash
        self.roles = roles
    }

    /// May do everything.
    package var isRoot: Bool { roles.contains(.root) }
}
