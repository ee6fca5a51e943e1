import StrakeLinearizability
import Testing

struct HistoryFileTests {
    private func verdict(_ lines: String...) throws -> Verdict {
        LinearizabilityCheck().verdict(on: try HistoryFile(lines.joined(separator: "\n").utf8).operations)
    }

    private static let put = #"{"client":0,"call":1000,"return":2100,"op":"put","key":"a","value":"x","revision":5}"#
    private static let get =
        #"{"client":1,"call":2200,"return":2600,"op":"get","key":"a","#
        + #""found":{"value":"x","create":5,"mod":5,"version":1},"revision":5}"#
    private static let failedSwap =
        #"{"client":0,"call":2700,"return":2800,"op":"cas","key":"a","mod":4,"value":"y","succeeded":false,"#
        + #""found":{"value":"x","create":5,"mod":5,"version":1},"revision":5}"#
    private static let swap =
        #"{"client":1,"call":2900,"return":3000,"op":"cas","key":"a","mod":5,"value":"z","succeeded":true,"revision":6}"#
    private static let delete =
        #"{"client":0,"call":3100,"return":3200,"op":"delete","key":"a","deleted":1,"revision":7}"#
    private static let missed =
        #"{"client":0,"call":3300,"return":3400,"op":"get","key":"a","found":null,"revision":7}"#
    private static let lost =
        #"{"client":2,"call":3300,"return":null,"op":"put","key":"a","value":"late","note":"timeout"}"#

    @Test func `a history with every kind of line is read and judged`() throws {
        #expect(
            try verdict(Self.put, Self.get, "", Self.failedSwap, Self.swap, Self.delete, Self.missed, Self.lost)
                == .linearizable)
    }

    @Test func `the order of the lines means nothing, the times do`() throws {
        #expect(try verdict(Self.get, Self.put) == .linearizable)
        let early = Self.get.replacing("2200", with: "100").replacing("2600", with: "200")
        #expect(try verdict(Self.put, early).violation != nil)
    }

    @Test func `an unanswered put may be seen, and one that nobody made may not`() throws {
        let seen =
            #"{"client":1,"call":4000,"return":4100,"op":"get","key":"a","#
            + #""found":{"value":"late","create":5,"mod":8,"version":2},"revision":8}"#
        #expect(try verdict(Self.put, Self.lost, seen) == .linearizable)
        let violation = try #require(try verdict(Self.put, seen).violation)
        // The lines that contradict each other are named.
        #expect(violation.operations.map(\.client) == [2])
    }

    @Test func `keys and values are told apart by their text`() throws {
        let file = try HistoryFile(
            [Self.put, Self.put.replacing(#""a""#, with: #""\u00e4\ud83d\ude00\n""#).replacing(":5}", with: ":6}")]
                .joined(separator: "\n").utf8)
        #expect(file.keys == ["a", "ä😀\n"])
        #expect(file.operations.map(\.key) == [0, 1])
    }

    @Test(arguments: [
        ("", #""call" is missing"#),
        (#""call":1,"return":0"#, #""return" is before "call""#),
        (#""call":1,"return":"2""#, #""return" is neither an integer nor null"#),
        (#""call":1,"return":2,"key":"a","op":"swap""#, #""op" is "swap", not one of get, put, delete and cas"#),
        (#""call":1,"return":2,"key":"a","op":"put""#, #""value" is missing"#),
        (#""call":1,"return":2,"key":"a","op":"get""#, #""found" is missing"#),
        (#""call":1,"return":2,"key":"a","op":"delete","deleted":2"#, #""deleted" is 2, of one key"#),
        (#""call":1,"return":null,"key":"a","op":"delete","deleted":1"#, #""deleted" has no meaning here"#),
        (
            #""call":1,"return":null,"key":"a","op":"delete","revision":1"#,
            #""revision" stands beside a "return" of null"#
        ),
        (#""call":1,"return":2,"key":"a","op":"put","value":"x","vaule":"y""#, #""vaule" has no meaning here"#),
        (#""call":1.5"#, "byte 21: a number has to be an integer"),
        (#""call":1,"call":2"#, #"byte 28: "call" comes twice"#),
        (#""call":[]"#, "byte 20: a value has to be an object, a string, an integer, true, false or null"),
        (#""key":"\ud800""#, "byte 26: half a surrogate pair"),
    ])
    func `a line that means nothing is refused by number and field`(rest: String, reason: String) {
        let line = #"{"client":0"# + (rest.isEmpty ? "" : ",") + rest + "}"
        #expect(throws: HistoryFile.Malformed(line: 2, reason: reason)) {
            try HistoryFile((Self.put + "\n" + line).utf8)
        }
    }
}
