/// A change of the replicated state: what a log entry carries.
///
/// Everything that applying needs is in it, chosen before it is proposed: identifiers, times to live, the term of an
/// expiry. Applying reads no clock, flag or random number.
package enum Command: Hashable, Sendable {
    case put(PutRequest)
    case deleteRange(DeleteRangeRequest)
    case txn(TxnRequest)
    /// Forgets history below `revision`. `physical` asks for an answer only once the space is free.
    case compact(revision: Int64, physical: Bool)
    case leaseGrant(id: LeaseID, ttlSeconds: Int64)
    case leaseRevoke(LeaseID)
    /// Ends leases that ran out. It counts only in the term of the leader that saw them run out: a later leader has
    /// given every lease new time.
    case leaseExpire(ids: [LeaseID], term: UInt64)
    /// The remaining time that a new leader grants instead of the full one.
    case leaseCheckpoint([LeaseCheckpoint])
    case alarm(AlarmCommand)
    case setMember(MemberAttributes)
    case auth(AuthCommand)
}

/// Time left on a lease, as its leader saw it.
package struct LeaseCheckpoint: Hashable, Sendable {
    package var id: LeaseID
    package var remainingSeconds: Int64

    package init(id: LeaseID, remainingSeconds: Int64) {
        self.id = id
        self.remainingSeconds = remainingSeconds
    }
}

/// Raises or clears an alarm of one member.
package struct AlarmCommand: Hashable, Sendable {
    package enum Action: UInt8, Sendable {
        case get = 0
        case activate = 1
        case deactivate = 2
    }

    package var action: Action
    /// Whose alarm; zero for every member, where the action allows it.
    package var member: UInt64
    /// etcd's number of the alarm: 0 none (every alarm), 1 NOSPACE, 2 CORRUPT. Others are kept as they came.
    package var alarm: Int32

    package init(action: Action, member: UInt64, alarm: Int32) {
        self.action = action
        self.member = member
        self.alarm = alarm
    }
}

/// What a member publishes about itself.
package struct MemberAttributes: Hashable, Sendable {
    package var id: UInt64
    package var name: String
    package var peerURLs: [String]
    package var clientURLs: [String]

    package init(id: UInt64, name: String, peerURLs: [String] = [], clientURLs: [String] = []) {
        self.id = id
        self.name = name
        self.peerURLs = peerURLs
        self.clientURLs = clientURLs
    }
}

/// A proposal's name, chosen by who proposes: it finds its waiter again when the entry is applied.
package struct ProposalID: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt64

    @inlinable
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A command with its proposal's name: the data of a log entry.
package struct ProposedCommand: Hashable, Sendable {
    package var id: ProposalID
    /// Who asks for it, where that counts; nil: a member of its own accord, or nobody in particular.
    package var identity: RequestIdentity?
    package var command: Command

    package init(id: ProposalID, as identity: RequestIdentity? = nil, command: Command) {
        self.id = id
        self.identity = identity
        self.command = command
    }
}

/// Why a log entry cannot be read. The member must stop: to skip an entry that others apply is to diverge from them.
package enum CommandDecodingError: Error, Hashable, Sendable {
    /// Written by a release that changed the encoding.
    case unknownVersion(UInt8)
    /// Written by a release with more kinds of command.
    case unknownKind(UInt8)
    /// Not what any release writes: the entry is damaged.
    case malformed
}
