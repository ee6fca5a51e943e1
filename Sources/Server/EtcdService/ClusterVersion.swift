/// A version of the cluster: major and minor of a release.
struct ClusterVersion: Equatable, CustomStringConvertible {
    var major: UInt
    var minor: UInt

    /// Takes `3.6` as well as `3.6.1`, with what semantic versions allow behind it. `nil` for anything else.
    init?(_ text: String) {
        let release = text.prefix { $0 != "-" && $0 != "+" }
        let parts = release.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in part.allSatisfy(\.isNumber) ? UInt(part) : nil }
        guard numbers.count == parts.count, parts.count == 3 || (parts.count == 2 && release.count == text.count) else {
            return nil
        }
        (major, minor) = (numbers[0], numbers[1])
    }

    var description: String { "\(major).\(minor)" }

    /// The one that a cluster of this version could be taken back to.
    var previous: ClusterVersion? {
        guard minor > 0 else { return nil }
        var previous = self
        previous.minor -= 1
        return previous
    }
}
