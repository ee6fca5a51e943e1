internal import Glibc

/// How many files and connections the process may have open.
enum FileLimit {
    /// Shells set a low limit for the sake of old programs that use `select`; a server needs one file a connection, and may
    /// take what the system allows.
    ///
    /// Ends the process where not even its threads could begin.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_max < leastFiles else { return }
        StrakeCommand.complain(
            "strake: the system allows it \(limit.rlim_max) open files (ulimit -Hn); it needs at least \(leastFiles)")
        exit(1)
    }

    /// Files of a member without clients, and of the event loops of a large machine, and some.
    private static let leastFiles: rlim_t = 256
}
