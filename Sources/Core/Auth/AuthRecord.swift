internal import StrakeModel

/// The stored forms. Numbers are big-endian; bytes have their length (4 bytes) in front.
///
///     head = version (1 byte, 1) enabled (1 byte) revision (8 bytes)
///     user = version (1 byte, 1) name form (1 byte: 0 no password, 1 with one) [hash] n (4 bytes) role*
///     role = version (1 byte, 1) name n (4 bytes) permission*
///     permission = kind (4 bytes) key end
package enum AuthRecord {
    private static let version: UInt8 = 1

    package static func encodeHead(isEnabled: Bool, revision: UInt64) -> [UInt8] {
        var writer = Writer()
        writer.number(UInt8(isEnabled ? 1 : 0))
        writer.number(revision)
        return writer.bytes
    }

    package static func decodeHead(_ bytes: [UInt8]) -> (isEnabled: Bool, revision: UInt64)? {
        guard var reader = Reader(bytes), let enabled = reader.number(UInt8.self), enabled <= 1,
            let revision = reader.number(UInt64.self), revision >= AuthStore.firstRevision, reader.isAtEnd
        else { return nil }
        return (enabled == 1, revision)
    }

    package static func encode(_ user: User) -> [UInt8] {
        var writer = Writer()
        writer.add(user.name.utf8)
        writer.number(UInt8(user.passwordHash == nil ? 0 : 1))
        if let hash = user.passwordHash { writer.add(hash) }
        writer.number(UInt32(user.roles.count))
        for role in user.roles { writer.add(role.utf8) }
        return writer.bytes
    }

    package static func decodeUser(_ bytes: [UInt8]) -> User? {
        guard var reader = Reader(bytes), let name = reader.array(), !name.isEmpty,
            let form = reader.number(UInt8.self), form <= 1
        else { return nil }
        var user = User(name: AuthName(utf8: name), passwordHash: nil)
        if form == 1 {
            guard let hash = reader.array() else { return nil }
            user.passwordHash = hash
        }
        guard let count = reader.number(UInt32.self) else { return nil }
        for _ in 0..<count {
            guard let role = reader.array() else { return nil }
            user.roles.append(AuthName(utf8: role))
        }
        return reader.isAtEnd && zip(user.roles, user.roles.dropFirst()).allSatisfy(<) ? user : nil
    }

    package static func encode(_ role: Role) -> [UInt8] {
        var writer = Writer()
        writer.add(role.name.utf8)
        writer.number(UInt32(role.permissions.count))
        for permission in role.permissions {
            writer.number(UInt32(bitPattern: permission.kind))
            writer.add(permission.key)
            writer.add(permission.rangeEnd)
        }
        return writer.bytes
    }

    package static func decodeRole(_ bytes: [UInt8]) -> Role? {
        guard var reader = Reader(bytes), let name = reader.array(), !name.isEmpty,
            let count = reader.number(UInt32.self)
        else { return nil }
        var role = Role(name: AuthName(utf8: name))
        for _ in 0..<count {
            guard let kind = reader.number(UInt32.self), let key = reader.array(), let rangeEnd = reader.array() else {
                return nil
            }
            role.permissions.append(Permission(kind: Int32(bitPattern: kind), key: key, rangeEnd: rangeEnd))
        }
        return reader.isAtEnd ? role : nil
    }

    static func digest(of record: [UInt8]) -> UInt64 {
        var digest = Digest()
        digest.add(UInt64(record.count), 0)
        for start in stride(from: 0, to: record.count, by: 16) {
            digest.add(word(record, at: start), word(record, at: start + 8))
        }
        return digest.value
    }

    /// Eight bytes, little-endian, with zeros for those behind the end.
    private static func word(_ bytes: [UInt8], at start: Int) -> UInt64 {
        guard start < bytes.count else { return 0 }
        return bytes[start..<min(start + 8, bytes.count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private struct Writer {
        private(set) var bytes: [UInt8] = [version]

        mutating func number(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }

        mutating func add(_ value: [UInt8]) {
            number(UInt32(value.count))
            bytes += value
        }
    }

    private struct Reader {
        private var rest: ArraySlice<UInt8>

        /// Nil for another version.
        init?(_ bytes: [UInt8]) {
            guard bytes.first == version else { return nil }
            rest = bytes.dropFirst()
        }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func number<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
            let size = MemoryLayout<Value>.size
            guard rest.count >= size else { return nil }
            defer { rest.removeFirst(size) }
            return rest.prefix(size).reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
        }

        mutating func array() -> [UInt8]? {
            guard let count = number(UInt32.self), count <= rest.count else { return nil }
            defer { rest.removeFirst(Int(count)) }
            return Array(rest.prefix(Int(count)))
        }
    }
}
