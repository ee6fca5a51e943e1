/// Keeps a message that comes thousands of times a second from filling the log, by zap's rule: of the same message the
/// first hundred of each second are written, then every hundredth.
struct LogSampler {
    private static let perSecond = 100
    /// Messages remembered; at the bound all are forgotten, and may be written a few times more.
    private static let messagesMax = 256

    private var counts: [String: (second: Int, count: Int)] = [:]

    mutating func admits(_ message: String, second: Int) -> Bool {
        if counts.count >= Self.messagesMax { counts.removeAll() }
        var (known, count) = counts[message] ?? (second, 0)
        if known != second { (known, count) = (second, 0) }
        count += 1
        counts[message] = (known, count)
        return count <= Self.perSecond || count % Self.perSecond == 0
    }
}
