internal import Glibc

/// The time of day: for people to read, never to decide by.
enum WallClock {
    /// Since 1970.
    static var seconds: Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int(now.tv_sec)
    }
}
