/// Why a data directory is not taken. The description is for the operator.
package enum DataDirectoryError: Error, Equatable, Sendable {
    case disk(DiskError)
    case locked(path: String)
    /// It holds etcd's data.
    case etcdDirectory(path: String)
    /// It is not empty and not ours; some of the names in it.
    case foreign(path: String, names: [String])
    case unsupportedFormat(path: String, found: UInt32, supported: UInt32)
    /// The format file is not as it was written.
    case damaged(path: String)
    /// It belongs to a member that was created, but what the member wrote is gone.
    case emptied(path: String, owner: MemberIdentity, missing: [String])
    case identityMismatch(path: String, expected: MemberIdentity, found: MemberIdentity)
}

extension DataDirectoryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .disk(let error): "\(error)"
        case .locked(let path): "\(path) is locked: another process uses this data directory. Stop it first."
        case .etcdDirectory(let path):
            "\(path) holds etcd's data (a folder named member), which Strake does not read. Leave it as it is and give an "
                + "empty directory instead. To take the data along, copy the keys from the running etcd with a client, such as "
                + "etcdctl make-mirror."
        case .foreign(let path, let names):
            "\(path) is not empty and no data directory of Strake: it holds \(names.joined(separator: ", ")). Give an empty "
                + "directory, or one that does not exist."
        case .unsupportedFormat(let path, let found, let supported):
            "\(path) is of data directory format \(found); this version reads format \(supported). Start the version that "
                + "wrote it, or a newer one that says in its release notes that it upgrades from it."
        case .damaged(let path):
            "\(path) is damaged: whose data this is cannot be told. \(Remedy.ofDamage)"
        case .emptied(let path, let owner, let missing):
            "\(path) is the data directory of \(owner), which has been initialised (the file STRAKE says so), but "
                + "of what it wrote this is gone: \(missing.map { $0 + "/" }.joined(separator: ", ")). "
                + "\(Remedy.ofMissingFiles) To give up what the member held and begin with an empty one, give an empty "
                + "directory."
        case .identityMismatch(let path, let expected, let found):
            "\(path) belongs to \(found), not to \(expected). Data directories cannot be exchanged between members: give "
                + "each member its own."
        }
    }
}
