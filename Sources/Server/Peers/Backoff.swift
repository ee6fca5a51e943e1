/// Pauses between attempts: twice as long each time up to a bound, and cut by chance, so that members that lost each
/// other together do not come back together.
struct Backoff {
    private let first: Int
    private let longest: Int
    private var failures = 0

    init(firstMilliseconds: Int, longestMilliseconds: Int) {
        first = firstMilliseconds
        longest = longestMilliseconds
    }

    /// The pause after one more failure.
    mutating func next() -> Int {
        // 20 doublings are beyond any bound.
        let full = min(longest, first << min(failures, 20))
        failures += 1
        return Int.random(in: (full / 2)...max(full, 1))
    }

    mutating func reset() { failures = 0 }
}
