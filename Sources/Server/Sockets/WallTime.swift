internal import Glibc

/// A moment by the clock on the wall, in UTC: for people to read, never to decide by.
package struct WallTime: Hashable, Sendable {
    /// Since 1970.
    package var seconds: Int64
    /// Below a second.
    package var nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    /// As RFC 3339 has it, with as many digits of the second as it takes, and as Go writes a time into JSON.
    package var timestamp: String {
        let (days, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = HTTPDate.civil(days)
        let date = "\(year)-\(HTTPDate.twoDigits(month))-\(HTTPDate.twoDigits(day))"
        return "\(date)T\(HTTPDate.time(second))\(fraction)Z"
    }

    private var fraction: String {
        guard nanoseconds > 0 else { return "" }
        // Nine digits: a leading one keeps the zeros behind it.
        var digits = Substring(String(1_000_000_000 + nanoseconds).dropFirst())
        while digits.last == "0" { digits.removeLast() }
        return ".\(digits)"
    }
}
