internal import Glibc

/// `--memory-mlock`: pages that were touched stay in memory.
enum MemoryLock {
    /// Pages to come are locked as they are touched, not when they are mapped: the store's map is as large as the store
    /// may ever be.
    private static let onFault: Int32 = 4

    /// - Returns: Why it cannot be; nil when it is so from now on.
    static func lock() -> String? {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
        // Under a limit a later mapping would fail, at a time when nobody expects it.
        guard limit.rlim_cur == rlim_t.max else {
            return
                "--memory-mlock: the system allows it to lock \(limit.rlim_cur) bytes (ulimit -l); it needs unlimited"
        }
        guard mlockall(Int32(MCL_CURRENT) | Int32(MCL_FUTURE) | onFault) == 0 else {
            return "--memory-mlock: \(String(cString: strerror(errno)))"
        }
        return nil
    }
}
