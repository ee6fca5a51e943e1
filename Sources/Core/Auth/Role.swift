package import StrakeModel

package struct Role: Hashable, Sendable {
    package var name: AuthName
    /// By their keys; those with one key in the order they were granted. No two are for the same range.
    package var permissions: [Permission]

    package init(name: AuthName, permissions: [Permission] = []) {
        self.name = name
        self.permissions = permissions
    }

    /// What is shown of the role that may do everything, whatever it was granted.
    package static let everything = [Permission(kind: Permission.readWrite, key: [], rangeEnd: [0])]

    /// Adds a permission, or changes the one for its range.
    mutating func grant(_ permission: Permission) {
        if let known = permissions.firstIndex(where: { $0.isForRange(of: permission.key, permission.rangeEnd) }) {
            permissions[known].kind = permission.kind
        } else {
            let position = permissions.firstIndex { permission.key.precedes($0.key) } ?? permissions.endIndex
            permissions.insert(permission, at: position)
        }
    }

    /// - Returns: False when there is no permission for just this range.
    mutating func revoke(key: [UInt8], rangeEnd: [UInt8]) -> Bool {
        guard let known = permissions.firstIndex(where: { $0.isForRange(of: key, rangeEnd) }) else { return false }
        permissions.remove(at: known)
        return true
    }
}

extension Permission {
    fileprivate func isForRange(of key: [UInt8], _ rangeEnd: [UInt8]) -> Bool {
        self.key == key && self.rangeEnd == rangeEnd
    }

    /// There is a key that it could be for.
    var isValid: Bool { !key.isEmpty && !range.isEmpty }
}
