/// The name of a user or a role: two names are one when their bytes are, however alike they look. (Swift's texts are also
/// equal when they differ in how they compose a character, which would let one user pass for another.)
package struct AuthName: Hashable, Sendable {
    package let utf8: [UInt8]

    package init(utf8: [UInt8]) {
        self.utf8 = utf8
    }

    package init(_ text: String) {
        utf8 = Array(text.utf8)
    }

    package var isEmpty: Bool { utf8.isEmpty }

    /// What a name may have in bytes: as much as a key of etcd's database, where names are keys.
    package static let bytesMax = 32_768

    package var isTooLong: Bool { utf8.count > Self.bytesMax }

    /// Of a user or a role that can be.
    package var isName: Bool { !isEmpty && !isTooLong }

    /// The user who has to be there before authentication is enabled, and the role that may do everything.
    package static let root = AuthName("root")
}

extension AuthName: Comparable {
    package static func < (left: AuthName, right: AuthName) -> Bool { left.utf8.precedes(right.utf8) }
}

extension AuthName: CustomStringConvertible {
    package var description: String { String(decoding: utf8, as: UTF8.self) }
}

/// Who asks, and the auth revision that this was found out at: what is asked is refused once the users, roles or
/// permissions have changed since.
package struct RequestIdentity: Hashable, Sendable {
    package var user: AuthName
    package var authRevision: UInt64

    /// A client that has not said who it is, where what nobody asks for is the members' own.
    package static let nobody = RequestIdentity(user: AuthName(""), authRevision: 0)

    package init(user: AuthName, authRevision: UInt64) {
        self.user = user
        self.authRevision = authRevision
    }
}
