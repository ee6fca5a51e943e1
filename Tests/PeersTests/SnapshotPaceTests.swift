internal import StrakePeers
internal import Testing

struct SnapshotPaceTests {
    private static let pieceBytes = 256 << 10
    /// Of a piece at the bound: 256 KiB at 16 MiB/s.
    private static let pieceNanoseconds: Int64 = 15_625_000

    @Test func `without writes of clients a piece follows at once`() {
        var pace = SnapshotPace()
        for _ in 1...3 {
            #expect(pace.pause(after: Self.pieceBytes, in: 1_000, writesOfClients: 7) == 0)
        }
    }

    @Test func `beside writes a piece waits for what is left of its time`() {
        var pace = SnapshotPace()
        // Nothing is known yet of the time before.
        #expect(pace.pause(after: Self.pieceBytes, in: 1_000, writesOfClients: 7) == 0)
        #expect(
            pace.pause(after: Self.pieceBytes, in: 1_000, writesOfClients: 8) == Self.pieceNanoseconds - 1_000)
        #expect(pace.pause(after: Self.pieceBytes, in: Self.pieceNanoseconds + 1, writesOfClients: 9) == 0)
        #expect(pace.pause(after: Self.pieceBytes, in: 1_000, writesOfClients: 9) == 0)
    }
}
