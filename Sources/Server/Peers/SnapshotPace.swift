/// When the next piece of a snapshot may be read. On an idle cluster at once. While clients write, pieces are spread out:
/// what a snapshot takes of disks and cores at both ends would be missing to them.
package struct SnapshotPace {
    /// Beside writes of clients; without them there is no bound.
    package static let bytesPerSecondBesideWrites = 16 << 20

    private var writesOfClients: UInt64?

    package init() {}

    /// - Parameters:
    ///   - bytes: Of the piece that has just gone.
    ///   - nanoseconds: Since that piece was asked for.
    ///   - writesOfClients: A count of them, as of now.
    /// - Returns: Nanoseconds until the next piece is due.
    package mutating func pause(after bytes: Int, in nanoseconds: Int64, writesOfClients now: UInt64) -> Int64 {
        defer { writesOfClients = now }
        guard let before = writesOfClients, before != now else { return 0 }
        return max(0, Int64(bytes) * 1_000_000_000 / Int64(Self.bytesPerSecondBesideWrites) - nanoseconds)
    }
}
