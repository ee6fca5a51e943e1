internal import Glibc
internal import NIOPosix

/// The threads that read and write snapshots: an event loop must not wait for a disk. They give way to all that clients
/// wait for: with idle cores a snapshot goes as fast as the disks, beside a load it takes what that leaves.
struct SnapshotThreads: Sendable {
    /// Where cores are scarce these threads get a tenth of what one of the others gets.
    private static let niceness: Int32 = 10

    let pool: NIOThreadPool

    func submit(_ work: @escaping @Sendable () -> Void) {
        pool.submit { _ in
            // Linux counts niceness by thread. That of the pool's threads can only be set on themselves, and once is as
            // good as always. More of it is never forbidden.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
            work()
        }
    }
}
