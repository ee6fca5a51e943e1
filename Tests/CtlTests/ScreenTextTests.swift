import StrakeCtl
import Testing

@Suite struct ScreenTextTests {
    @Test(
        "text that does not print is quoted",
        arguments: [
            ("m1", "m1"), ("zürich-東京", "zürich-東京"), ("a b", "a b"), ("a\u{1B}[31m", #""a\x1b[31m""#),
            ("a\u{9B}31m", #""a\u009b31m""#), ("a\nb", #""a\nb""#), ("\u{202E}a", #""\u202ea""#),
            ("\u{7F}", #""\x7f""#),
        ])
    func plain(text: String, shown: String) {
        #expect(ScreenText.plain(text) == shown)
    }

    @Test(
        "prefixes are quoted, whatever they are",
        arguments: [
            (Array("/a/".utf8), #""/a/""#), ([0xFF, 0x00], #""\xff\x00""#), ([], "(keys without a slash)"),
            ([0x1B, 0x5D], #""\x1b]""#), (Array("東".utf8), "\"東\""),
        ] as [([UInt8], String)])
    func prefix(bytes: [UInt8], shown: String) {
        #expect(ScreenText.prefix(bytes) == shown)
    }

    @Test(
        "columns are those of a terminal",
        arguments: [("", 0), ("abc", 3), ("東京", 4), ("é", 1), ("e\u{301}", 1), ("🚢", 2), ("…", 1), ("ﾊ", 1)])
    func columns(text: String, columns: Int) {
        #expect(ScreenText.columns(of: text) == columns)
    }

    @Test(
        "what does not fit is cut",
        arguments: [
            ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("東京都", 5, "東京…"), ("東京都", 4, "東…"), ("ab", 1, "…"), ("ab", 0, ""),
        ])
    func fitted(text: String, width: Int, shown: String) {
        #expect(ScreenText.fitted(text, to: width) == shown)
    }

    @Test(
        "amounts",
        arguments: [
            (nil, "-"), (0, "0"), (0.01, "<0.1"), (0.5, "0.5"), (2, "2"), (9.94, "9.9"), (9.96, "10"), (420.4, "420"),
            (99_999, "99999"), (99_999.6, "100k"), (1_250_000, "1.2M"), (999_600, "1M"), (3e9, "3G"), (9e21, "9000E"),
        ] as [(Double?, String)])
    func amounts(number: Double?, shown: String) {
        #expect(ScreenText.amount(number) == shown)
    }

    @Test(
        "times",
        arguments: [
            (0.000_085, "85µs"), (0.001, "1ms"), (0.001_24, "1.2ms"), (0.035, "35ms"), (0.999_6, "1s"), (2.5, "2.5s"),
            (90, "90s"),
        ])
    func seconds(seconds: Double, shown: String) {
        #expect(ScreenText.seconds(seconds) == shown)
    }

    @Test func `percent and bytes`() {
        #expect(ScreenText.percent(0.456) == "46%" && ScreenText.percent(nil) == "-")
        #expect(ScreenText.percent(9e21) == "100000000%")
        #expect(
            ScreenText.bytes(1_500) == "1.5 kB" && ScreenText.bytes(nil) == "-" && ScreenText.bytes(1e30) == "9.0 EB")
    }

    @Test func `of a table the columns that matter least go first, then the first one is cut`() {
        var table = ScreenTable([.init("NAME", .left), .init("A", rank: 2), .init("B", rank: 1), .init("C")])
        table.add(["long-name", "1", "22", "333"])
        table.add(["x", "", "", ""])
        #expect(table.lines(width: 30) == ["NAME       A   B    C", "long-name  1  22  333", "x"])
        #expect(table.lines(width: 20) == ["NAME        B    C", "long-name  22  333", "x"])
        #expect(table.lines(width: 15) == ["NAME         C", "long-name  333", "x"])
        #expect(table.lines(width: 12) == ["NAME       C", "long-n…  333", "x"])
        #expect(table.lines(width: 8) == ["NAME   …", "long-…  …", "x"].map { ScreenText.fitted($0, to: 8) })
    }
}
