internal import StrakeLog
internal import StrakeModel
internal import StrakeRaft
internal import StrakeStateMachine

/// How a member begins that has no data yet.
struct Founding {
    var identity: MemberIdentity
    /// Where its log and its state machine begin.
    var base: SnapshotMetadata
    /// Who is in the cluster by then; the same on all members that found it.
    var members: [MemberAttributes]
    /// The flags are those that the directory's owner began with, as far as its ids tell.
    private var isOwners: Bool

    /// - Parameter owner: Whose the directory is already, if anybody's.
    init(_ options: StoreOptions, owner: MemberIdentity?) {
        if let joined = options.joining {
            identity = owner ?? MemberIdentity(cluster: joined.cluster, member: MemberID(rawValue: joined.member))
            base = .joining
            members = []
            isOwners = owner == nil
            return
        }
        let founded = MemberIdentity(founding: options)
        identity = owner ?? founded
        isOwners = identity == founded
        let initial = options.initialMembers.isEmpty ? [options.asInitialMember] : options.initialMembers
        var ids = initial.map { $0.id(token: options.clusterToken) }
        // Other flags than at the first start: what is there already goes before them.
        if !ids.contains(identity.member) { ids = [identity.member] }
        base = .bootstrap(voters: ids)
        members = zip(ids, initial).map { id, member in
            MemberAttributes(id: id.rawValue, name: member.name, peerURLs: member.peerURLs)
        }
        members.sort { $0.id < $1.id }
    }

    init(_ cluster: InheritedCluster) {
        let ids = cluster.members.map { MemberID(rawValue: $0.id) }
        let learners = ids.filter { cluster.learners.contains($0.rawValue) }
        let voters = ids.filter { !cluster.learners.contains($0.rawValue) }
        identity = MemberIdentity(cluster: cluster.id, member: MemberID(rawValue: cluster.member))
        base = SnapshotMetadata(
            last: EntryID(term: Term(rawValue: cluster.term), index: LogIndex(rawValue: cluster.index)),
            configuration: Configuration(voters: voters, learners: learners))
        members = cluster.members
        isOwners = true
    }

    /// Refuses to begin in another way than what is there has begun.
    func check(_ machine: borrowing StateMachine, in directory: String, isNew: Bool) throws(StoreStartError) {
        if isNew, machine.applied == base.last {
            guard machine.configuration == base.configuration, machine.members == members else {
                throw StoreStartError(
                    "the creation of a member in \(directory) was cut short, and had begun with another "
                        + "--initial-cluster. Nothing is in it yet: remove it, or start with the same flags.")
            }
        }
        guard isNew || !machine.isNew || isOwners else {
            throw StoreStartError(
                "the store in \(directory) is missing, and the flags are not those that the member began with. Start it "
                    + "with the --initial-cluster and --initial-cluster-token of its first start, or remove the member "
                    + "from the cluster and add it again.")
        }
    }
}
