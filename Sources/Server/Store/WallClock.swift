internal import Glibc

/// The time of day: for people to read, and for what is written down for other machines; never to decide by.
package enum WallClock {
    /// Since 1970.
    package static var seconds: Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int(now.tv_sec)
    }
}
