/// Spreads times that fall into the same second, so that no second has more than its share.
///
/// Counting is enough: a second's surplus goes on into the next one, and so forth.
struct PileUps {
    /// Seconds that are looked at, 18 hours. What lies beyond stays as it is: the rate of expiries is bounded anyway.
    private static let secondsMax = 1 << 16

    private let gap: Int64
    /// Times in each second; after `level`, when the second's next one may be, in milliseconds.
    private var seconds: [Int64] = []

    init(perSecond: Int64) {
        gap = 1_000 / perSecond
    }

    /// - Parameter time: Milliseconds from now, not negative.
    mutating func add(_ time: Int64) {
        let second = Int(time / 1_000)
        if second >= Self.secondsMax { return }
        while seconds.count <= second { seconds.append(0) }
        seconds[second] += 1
    }

    mutating func level() {
        var free: Int64 = 0
        for second in seconds.indices {
            let start = max(free, Int64(second) * 1_000)
            free = start + seconds[second] * gap
            seconds[second] = start
        }
    }

    /// The time to take for one that was added: the same or a later one.
    mutating func place(_ time: Int64) -> Int64 {
        let second = Int(time / 1_000)
        if second >= seconds.count { return time }
        let place = seconds[second]
        seconds[second] += gap
        return max(time, place)
    }
}
