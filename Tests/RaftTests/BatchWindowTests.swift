import StrakeRaft
import Testing

struct BatchWindowTests {
    /// Which of the batches, "session/number" or a number of session 1, are admitted one after the other.
    private static func admitted(_ batches: String) -> [Bool] {
        var window = BatchWindow()
        return batches.split(separator: " ").map { text in
            let parts = text.split(separator: "/").map { UInt64($0)! }
            return window.admit(BatchID(session: parts.count > 1 ? parts[0] : 1, number: parts[parts.count - 1]))
        }
    }

    @Test(
        "a batch is admitted once, in any order within the window",
        arguments: [
            ("5 5 3 3 70 70 9 9 3", [true, false, true, false, true, false, true, false, false]),
            // 7 is 63 behind the newest, 6 is 64 behind.
            ("70 7 7 6", [true, true, false, false]),
            ("70 1000 999 1000 70", [true, true, true, false, false]),
            // Another session begins anew.
            ("100 2/1 2/1 2/2", [true, true, false, true]),
            // One before it does not come back, nor does the one before that.
            ("100 2/1 101 3/1 2/2 102 3/2", [true, true, false, true, false, false, true]),
            ("1/1 2/1 3/1 4/1 5/1 6/1 7/1 8/1 9/1 1/2", Array(repeating: true, count: 9) + [false]),
        ])
    func admitted(batches: String, expected: [Bool]) {
        #expect(Self.admitted(batches) == expected)
    }
}
