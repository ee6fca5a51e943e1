// The encoding of a command in a log entry, version 1.
//
//     entry    = version (1 byte) kind (1 byte) proposal (8 bytes, little endian) [identity] fields
//     identity = user authRevision                where the kind's highest bit is set
//     put      = flags key value lease            flags: 1 wants previous, 2 ignores value, 4 ignores lease
//     delete   = flags range                      flags: 1 wants previous
//     txn      = n compare* n op* n op*           the comparisons, the operations on success, those on failure
//     compact  = flags revision                   flags: 1 physical
//     grant    = lease ttl
//     revoke   = lease
//     expire   = term n lease*
//     checkpoint = n (lease remaining)*
//     alarm    = action (1 byte) member alarm
//     member   = id name n peerURL* n clientURL*
//     authenticate = user prefix authRevision
//     user add = user form (1 byte: 0 no password, 1 with one) [hash]
//     user change password = user hash
//     user grant role, user revoke role = user role
//     user delete, role add, role delete = name
//     role grant permission = role kind key end   the kind is signed
//     role revoke permission = role key end
//     auth enable, auth disable have no fields
//     range    = form (1 byte) key [end]          form: 0 the key alone, 1 below `end`, 2 no end
//     compare  = result (1 byte) target (1 byte) range value
//     op       = kind (1 byte: 1 put, 2 delete, 3 txn, 4 read) fields
//     read     = flags range order target limit revision minMod maxMod minCreate maxCreate
//                                                 flags: 1 serializable, 2 keys only, 4 count only
//
// Counts, lengths and unsigned numbers are LEB128 varints; signed numbers are zigzag varints; bytes and strings have
// their length in front. There is one encoding of each command, and decoding accepts no other: no longer varint than
// needed, no unknown flag, nothing after the end.

extension ProposedCommand {
    package static let encodingVersion: UInt8 = 1
    /// Version, kind and proposal.
    static let headerSize = 10
    /// In the byte of the kind: it says who asks.
    static let identityFlag: UInt8 = 0x80

    /// The log entry's data, in one allocation of the right size.
    package func encoded() -> [UInt8] { command.encoded(id, as: identity) }

    /// The proposal's name alone: nil when there is no header of a known version.
    package static func proposalID(of data: UnsafeRawBufferPointer) -> ProposalID? {
        guard data.count >= headerSize, data[0] == encodingVersion else { return nil }
        return ProposalID(rawValue: UInt64(littleEndian: data.loadUnaligned(fromByteOffset: 2, as: UInt64.self)))
    }

    /// The command's kind alone: nil when there is no header of a known version and kind.
    package static func kind(of data: [UInt8]) -> Command.Kind? {
        guard data.count >= headerSize, data[0] == encodingVersion else { return nil }
        return Command.Kind(rawValue: data[1] & ~identityFlag)
    }
}

extension Command {
    package enum Kind: UInt8, CaseIterable, Sendable {
        case put = 1
        case deleteRange = 2
        case txn = 3
        // 4 is a read, which is an operation of a transaction and never a command.
        case compact = 5
        case leaseGrant = 6
        case leaseRevoke = 7
        case leaseExpire = 8
        case leaseCheckpoint = 9
        case alarm = 10
        case setMember = 11
        case authEnable = 12
        case authDisable = 13
        case authenticate = 14
        case userAdd = 15
        case userDelete = 16
        case userChangePassword = 17
        case userGrantRole = 18
        case userRevokeRole = 19
        case roleAdd = 20
        case roleDelete = 21
        case roleGrantPermission = 22
        case roleRevokePermission = 23
    }

    var kind: Kind {
        switch self {
        case .put: .put
        case .deleteRange: .deleteRange
        case .txn: .txn
        case .compact: .compact
        case .leaseGrant: .leaseGrant
        case .leaseRevoke: .leaseRevoke
        case .leaseExpire: .leaseExpire
        case .leaseCheckpoint: .leaseCheckpoint
        case .alarm: .alarm
        case .setMember: .setMember
        case .auth(let command): command.kind
        }
    }

    /// The log entry's data for this command under a proposal's name.
    package func encoded(_ proposal: ProposalID, as identity: RequestIdentity? = nil) -> [UInt8] {
        let size = ProposedCommand.headerSize + (identity?.commandSize ?? 0) + fieldsSize
        return [UInt8](unsafeUninitializedCapacity: size) { memory, count in
            var writer = CommandWriter(UnsafeMutableRawBufferPointer(memory))
            writer.byte(ProposedCommand.encodingVersion)
            writer.byte(kind.rawValue | (identity == nil ? 0 : ProposedCommand.identityFlag))
            writer.fixed(proposal.rawValue)
            identity?.encodeCommand(to: &writer)
            encodeFields(to: &writer)
            precondition(writer.isFull, "a command of kind \(kind) left a gap in its \(size) bytes")
            count = size
        }
    }

    private var fieldsSize: Int {
        typealias Size = CommandWriter
        return switch self {
        case .put(let put): put.commandSize
        case .deleteRange(let delete): delete.commandSize
        case .txn(let txn): txn.commandSize
        case .compact(let revision, _): 1 + Size.size(signed: revision)
        case .leaseGrant(let id, let ttl): Size.size(signed: id.rawValue) + Size.size(signed: ttl)
        case .leaseRevoke(let id): Size.size(signed: id.rawValue)
        case .leaseExpire(let ids, let term):
            Size.size(term) + Size.size(UInt64(ids.count)) + ids.reduce(0) { $0 + Size.size(signed: $1.rawValue) }
        case .leaseCheckpoint(let leases):
            leases.reduce(Size.size(UInt64(leases.count))) {
                $0 + Size.size(signed: $1.id.rawValue) + Size.size(signed: $1.remainingSeconds)
            }
        case .alarm(let alarm): 1 + Size.size(alarm.member) + Size.size(signed: Int64(alarm.alarm))
        case .setMember(let member): member.commandSize
        case .auth(let command): command.commandSize
        }
    }

    private func encodeFields(to writer: inout CommandWriter) {
        switch self {
        case .put(let put): put.encodeCommand(to: &writer)
        case .deleteRange(let delete): delete.encodeCommand(to: &writer)
        case .txn(let txn): txn.encodeCommand(to: &writer)
        case .compact(let revision, let physical):
            writer.byte(physical ? 1 : 0)
            writer.signed(revision)
        case .leaseGrant(let id, let ttl):
            writer.signed(id.rawValue)
            writer.signed(ttl)
        case .leaseRevoke(let id):
            writer.signed(id.rawValue)
        case .leaseExpire(let ids, let term):
            writer.unsigned(term)
            writer.unsigned(UInt64(ids.count))
            for id in ids { writer.signed(id.rawValue) }
        case .leaseCheckpoint(let leases):
            writer.unsigned(UInt64(leases.count))
            for lease in leases {
                writer.signed(lease.id.rawValue)
                writer.signed(lease.remainingSeconds)
            }
        case .alarm(let alarm):
            writer.byte(alarm.action.rawValue)
            writer.unsigned(alarm.member)
            writer.signed(Int64(alarm.alarm))
        case .setMember(let member): member.encodeCommand(to: &writer)
        case .auth(let command): command.encodeCommand(to: &writer)
        }
    }
}

extension MemberAttributes {
    var commandSize: Int {
        CommandWriter.size(id) + CommandWriter.size(bytes: name.utf8.count) + CommandWriter.size(strings: peerURLs)
            + CommandWriter.size(strings: clientURLs)
    }

    func encodeCommand(to writer: inout CommandWriter) {
        writer.unsigned(id)
        writer.string(name)
        writer.strings(peerURLs)
        writer.strings(clientURLs)
    }
}
