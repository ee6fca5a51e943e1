/// A moment as the header `Date` has it (RFC 9110 §5.6.7).
package struct HTTPDate: CustomStringConvertible {
    package let description: String

    /// By the clock on the wall: for people and caches, never to decide by.
    package static var now: HTTPDate { HTTPDate(seconds: WallTime.now.seconds) }

    /// - Parameter seconds: Since 1970.
    package init(seconds: Int64) {
        let (days, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = Self.civil(days)
        let time = Self.time(second)
        // The first of January 1970 was a Thursday.
        let weekday = Self.weekdays[Int((days + 4) % 7)]
        description = "\(weekday), \(Self.twoDigits(day)) \(Self.months[Int(month) - 1]) \(year) \(time) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func time(_ secondOfDay: Int64) -> String {
        [secondOfDay / 3_600, secondOfDay / 60 % 60, secondOfDay % 60].map(twoDigits).joined(separator: ":")
    }

    static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// The date of a day since 1970. Years are counted from March, so that the odd day of a leap year is their last, and
    /// from the year 0, where a cycle of 400 years begins.
    static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let cycle = shifted / 146_097
        let dayOfCycle = shifted % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, day)
    }
}
