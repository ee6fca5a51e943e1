internal import Glibc

/// How many files and connections the process may have open.
enum FileLimit {
    /// Shells set a low limit for the sake of old programs that use `select`; a server needs one file a connection, and may
    /// take what the system allows.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
