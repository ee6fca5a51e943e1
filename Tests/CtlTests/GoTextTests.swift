internal import StrakeClient
internal import StrakeCtl
internal import Testing

@Suite struct GoTextTests {
    @Test(
        "strings are quoted as Go quotes them",
        arguments: [
            ([0x61, 0x22, 0x5C, 0x0A, 0x09, 0x00], #""a\"\\\n\t\x00""#), ([0xFF, 0x61], #""\xffa""#),
            (Array("é💾".utf8), "\"é💾\""), ([0xC3, 0x28], #""\xc3(""#), (Array("\u{200B}".utf8), #""\u200b""#),
            ([0x7F], #""\x7f""#),
        ] as [([UInt8], String)])
    func quoting(bytes: [UInt8], text: String) {
        #expect(GoText.quoted(bytes) == text)
    }

    @Test(
        "base64",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(text: String, coded: String) {
        #expect(GoText.base64(Array(text.utf8)) == coded)
    }

    @Test(
        "sizes and durations",
        arguments: [
            (0, "0 B", "0s"), (9, "9 B", "9ns"), (10, "10 B", "10ns"), (999, "999 B", "999ns"),
            (20_480, "20 kB", "20.48µs"), (1_500, "1.5 kB", "1.5µs"), (9_999_999, "10 MB", "9.999999ms"),
            (61_000_000_000, "61 GB", "1m1s"), (3_600_000_000_000, "3.6 TB", "1h0m0s"),
            (2_050_000_000, "2.1 GB", "2.05s"),
        ] as [(Int64, String, String)])
    func measures(number: Int64, size: String, duration: String) {
        #expect(GoText.size(number) == size && GoText.duration(nanoseconds: number) == duration)
    }

    @Test func `words and flags come in any order, and keys need not be text`() throws {
        let flags = [
            CommandFlag("write-out", short: "w", .text, "simple", ""), CommandFlag("prefix", .flag, "false", ""),
            CommandFlag("rev", .integer, "0", ""),
        ]
        let words = ["a", "-wjson", "--prefix", "--rev=7", "b", "--", "--c"].map { Array($0.utf8) } + [[0xFF]]
        let arguments = try CommandArguments(words, flags: flags)
        #expect(arguments.rawWords == [[0x61], [0x62], Array("--c".utf8), [0xFF]])
        #expect(arguments.wordsBeforeSeparator == 2)
        #expect(arguments.text("write-out") == "json" && arguments.flag("prefix") && arguments.integer("rev") == 7)
    }

    @Test(
        "what is wrong with a flag is said as pflag says it",
        arguments: [
            ("--nosuch", "unknown flag: --nosuch"), ("--rev", "flag needs an argument: --rev"),
            ("-x", "unknown shorthand flag: 'x' in -x"),
            ("--rev=x", "invalid argument \"x\" for \"--rev\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"),
        ])
    func flagProblems(word: String, message: String) {
        #expect {
            try CommandArguments([Array(word.utf8)], flags: [CommandFlag("rev", .integer, "0", "")])
        } throws: { ($0 as? CommandFailure)?.message == message }
    }
}

@Suite struct TxnScriptTests {
    @Test func `comparisons`() throws {
        #expect(try TxnScript.compare(#"mod("k\x00") > "7""#).target == .modRevision(7))
        #expect(try TxnScript.compare(#"mod("k\x00") > "7""#).range.lower == [0x6B, 0])
        #expect(try TxnScript.compare(#"val("k") != "a b""#).target == .value(Array("a b".utf8)))
        #expect(try TxnScript.compare(#"lease("k") = "1f""#).target == .lease(.init(rawValue: 31)))
    }

    @Test(
        "what is no comparison is refused",
        arguments: ["nonsense", #"mod(k) > "1""#, #"x("k") > "1""#, #"mod("k") ? "1""#])
    func badComparisons(line: String) {
        #expect { try TxnScript.compare(line) } throws: {
            ($0 as? CommandFailure)?.exitCode == CommandFailure.invalidInput
        }
    }

    @Test func `words with quotes`() throws {
        let words = try QuotedText.words(of: #"put  k 'a "b' "c\td" e"#)
        #expect(words.map { String(decoding: $0, as: UTF8.self) } == ["put", "k", "a \"b", "c\td", "e"])
    }
}
