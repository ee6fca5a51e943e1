extension ProposedCommand {
    /// Reads a log entry's data.
    package init(decoding data: UnsafeRawBufferPointer) throws(CommandDecodingError) {
        guard let version = data.first else { throw .malformed }
        guard version == Self.encodingVersion else { throw .unknownVersion(version) }
        guard let proposal = Self.proposalID(of: data) else { throw .malformed }
        guard let kind = Command.Kind(rawValue: data[1] & ~Self.identityFlag) else { throw .unknownKind(data[1]) }
        var reader = CommandReader(UnsafeRawBufferPointer(rebasing: data[Self.headerSize...]))
        let identity = data[1] & Self.identityFlag == 0 ? nil : try RequestIdentity(from: &reader)
        let command = try Command(kind, from: &reader)
        guard reader.isAtEnd else { throw .malformed }
        self.init(id: proposal, as: identity, command: command)
    }

    package init(decoding data: [UInt8]) throws(CommandDecodingError) {
        self = try data.withUnsafeBufferPointer { bytes throws(CommandDecodingError) in
            try ProposedCommand(decoding: UnsafeRawBufferPointer(bytes))
        }
    }
}

extension Command {
    fileprivate init(_ kind: Kind, from reader: inout CommandReader) throws(CommandDecodingError) {
        switch kind {
        case .put: self = .put(try PutRequest(from: &reader))
        case .deleteRange: self = .deleteRange(try DeleteRangeRequest(from: &reader))
        case .txn: self = .txn(try TxnRequest(from: &reader))
        case .compact:
            let flags = try reader.flags(below: 2)
            self = .compact(revision: try reader.signed(), physical: flags == 1)
        case .leaseGrant:
            let id = try reader.lease()
            self = .leaseGrant(id: id, ttlSeconds: try reader.signed())
        case .leaseRevoke: self = .leaseRevoke(try reader.lease())
        case .leaseExpire:
            let term = try reader.unsigned()
            var ids: [LeaseID] = []
            for _ in 0..<(try reader.count(ofAtLeast: 1)) { ids.append(try reader.lease()) }
            self = .leaseExpire(ids: ids, term: term)
        case .leaseCheckpoint:
            var leases: [LeaseCheckpoint] = []
            for _ in 0..<(try reader.count(ofAtLeast: 2)) {
                let id = try reader.lease()
                leases.append(LeaseCheckpoint(id: id, remainingSeconds: try reader.signed()))
            }
            self = .leaseCheckpoint(leases)
        case .alarm: self = .alarm(try AlarmCommand(from: &reader))
        case .setMember: self = .setMember(try MemberAttributes(from: &reader))
        case .authEnable, .authDisable, .authenticate, .userAdd, .userDelete, .userChangePassword, .userGrantRole,
            .userRevokeRole, .roleAdd, .roleDelete, .roleGrantPermission, .roleRevokePermission:
            guard let command = try AuthCommand(kind, from: &reader) else {
                preconditionFailure("\(kind) is no change of users and roles")
            }
            self = .auth(command)
        }
    }
}

extension AlarmCommand {
    fileprivate init(from reader: inout CommandReader) throws(CommandDecodingError) {
        guard let action = Action(rawValue: try reader.byte()) else { throw .malformed }
        let member = try reader.unsigned()
        guard let alarm = Int32(exactly: try reader.signed()) else { throw .malformed }
        self.init(action: action, member: member, alarm: alarm)
    }
}

extension MemberAttributes {
    fileprivate init(from reader: inout CommandReader) throws(CommandDecodingError) {
        let id = try reader.unsigned()
        let name = try reader.string()
        let peerURLs = try reader.strings()
        self.init(id: id, name: name, peerURLs: peerURLs, clientURLs: try reader.strings())
    }
}

/// Takes the fields of a command off the front of an entry's data.
struct CommandReader {
    private let data: UnsafeRawBufferPointer
    private var offset = 0

    init(_ data: UnsafeRawBufferPointer) {
        self.data = data
    }

    var isAtEnd: Bool { offset == data.count }

    mutating func byte() throws(CommandDecodingError) -> UInt8 {
        guard offset < data.count else { throw .malformed }
        defer { offset += 1 }
        return data[offset]
    }

    mutating func flags(below limit: UInt8) throws(CommandDecodingError) -> UInt8 {
        let flags = try byte()
        guard flags < limit else { throw .malformed }
        return flags
    }

    mutating func unsigned() throws(CommandDecodingError) -> UInt64 {
        var byte = try byte()
        if byte < 0x80 { return UInt64(byte) }
        var value = UInt64(byte & 0x7f)
        var shift: UInt64 = 7
        while true {
            byte = try self.byte()
            // The tenth byte has one bit left to give.
            guard shift < 63 || byte <= 1 else { throw .malformed }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        // A last byte of zero says what one byte less would say.
        guard byte != 0 else { throw .malformed }
        return value
    }

    mutating func signed() throws(CommandDecodingError) -> Int64 {
        let zigzag = try unsigned()
        return Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
    }

    mutating func lease() throws(CommandDecodingError) -> LeaseID { LeaseID(rawValue: try signed()) }

    /// A number of elements of which each takes at least `size` bytes.
    mutating func count(ofAtLeast size: Int) throws(CommandDecodingError) -> Int {
        let count = try unsigned()
        guard count <= UInt64((data.count - offset) / size) else { throw .malformed }
        return Int(count)
    }

    private mutating func slice() throws(CommandDecodingError) -> UnsafeRawBufferPointer {
        let count = try count(ofAtLeast: 1)
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: data[offset..<offset + count])
    }

    mutating func bytes() throws(CommandDecodingError) -> [UInt8] { [UInt8](try slice()) }

    mutating func string() throws(CommandDecodingError) -> String {
        guard let string = String(validating: try slice(), as: UTF8.self) else { throw .malformed }
        return string
    }

    mutating func strings() throws(CommandDecodingError) -> [String] {
        var strings: [String] = []
        for _ in 0..<(try count(ofAtLeast: 1)) { strings.append(try string()) }
        return strings
    }
}
