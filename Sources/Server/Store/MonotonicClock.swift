internal import Glibc

/// The machine's clock that never jumps.
package enum MonotonicClock {
    package static var nanoseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    package static var milliseconds: Int64 { Int64(nanoseconds / 1_000_000) }
}
