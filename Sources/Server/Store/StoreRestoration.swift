package import StrakeAuth
package import StrakeLeases
package import StrakeLog
package import StrakeMVCC
internal import StrakeModel
internal import StrakeRaft
package import StrakeStateMachine
internal import StrakeTables

/// Makes the data directory of a member that founds a new cluster with somebody else's history, or goes on with somebody
/// else's cluster. All members of the cluster have to be made of the same history with the same flags, as each of them begins
/// after the same entry.
///
/// It is made under another name and renamed at the end, so a directory of that name is whole.
package struct StoreRestoration: ~Copyable {
    private static let suffix = ".restoring"

    private let disk: any Disk
    /// What it is to be named, and is named until then.
    private let path: String
    private let draft: String
    private let founding: Founding
    private let directory: DataDirectory
    private var builder: StateBuilder

    /// - Parameter cluster: The one to go on with; nil: the options say who founds a new one.
    /// - Throws: Also when there is a data directory, or what an earlier try left.
    package static func begin(
        _ options: StoreOptions, goingOnWith cluster: InheritedCluster? = nil, on disk: any Disk
    ) throws(StoreStartError) -> StoreRestoration {
        let slashes = options.dataDirectory.reversed().prefix { $0 == "/" }.count
        let path = String(options.dataDirectory.dropLast(slashes))
        let draft = path + suffix
        guard !path.isEmpty, (try? disk.list(path)) == nil else {
            throw StoreStartError("data-dir \"\(options.dataDirectory)\" exists: a restore makes a new one")
        }
        guard (try? disk.list(draft)) == nil else {
            throw StoreStartError("\(draft) is there, from a restore that was cut short: remove it")
        }
        do {
            let directory = try DataDirectory(opening: draft, on: disk)
            let store = try StoreDirectories(in: draft, on: disk).currentPath
            let builder = try StateBuilder(into: try StoreTables(directory: store))
            let founding = cluster.map { Founding($0) } ?? Founding(options, owner: nil)
            return StoreRestoration(
                disk: disk, path: path, draft: draft, founding: founding, directory: directory, builder: builder)
        } catch {
            throw StoreStartError("\(error)")
        }
    }

    private init(
        disk: any Disk, path: String, draft: String, founding: Founding, directory: DataDirectory,
        builder: consuming StateBuilder
    ) {
        self.disk = disk
        self.path = path
        self.draft = draft
        self.founding = founding
        self.directory = directory
        self.builder = builder
    }

    /// Adds the next event, in the order of the revisions.
    package mutating func append(_ event: ImportedEvent) throws(StoreStartError) {
        let isNext: Bool
        do throws(MVCCError) { isNext = try builder.append(event) } catch { throw StoreStartError(error) }
        guard isNext else { throw StoreStartError("the event at revision \(event.revision) is out of order") }
    }

    /// Makes the directory whole, durable, and gives it its name.
    package consuming func finish(
        leases: [Lease], alarms: [AlarmMember], auth: AuthStore, revisions: StateBuilder.Revisions
    ) throws(StoreStartError) {
        do {
            let isFit = try builder.finish(
                founding.base, members: founding.members, leases: leases, alarms: alarms, auth: auth,
                revisions: revisions)
            guard isFit else {
                throw StoreStartError(
                    "the revisions do not fit: newest \(revisions.newest), compacted at \(revisions.compact)")
            }
            let log = try DurableLog(directory: directory.logPath, on: disk, identity: founding.identity)
            try log.replaceAll(with: founding.base)
            try log.close()
            try directory.initialize(founding.identity)
            directory.close()
            try disk.rename(draft, to: path)
            try disk.syncDirectory(Self.parent(of: path))
        } catch let error as StoreStartError {
            throw error
        } catch {
            throw StoreStartError("\(error)")
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
