import StrakeCtl
import Testing

@Suite struct CompletionTests {
    private static let strake = Program(name: "strake", versionText: "", siblings: ["server", "ctl"])
    private static let etcdctl = Program(name: "etcdctl", versionText: "")

    private static func words(_ rows: CompletionTable.Rows, behind command: String) -> [String] {
        rows.filter { $0.command == command }.flatMap(\.candidates).map(\.text)
    }

    @Test func `commands are offered once each, and behind a group its commands`() {
        let table = CompletionTable(Self.strake, hasHelp: true)
        let first = Self.words(table.words, behind: "")
        #expect(
            Set(first).count == first.count && Set(first).isSuperset(of: ["get", "snapshot", "completion", "help"]))
        #expect(Self.words(table.words, behind: "snapshot") == ["save", "status", "restore"])
        #expect(Self.words(table.words, behind: "get").isEmpty)
        #expect(table.words.flatMap(\.candidates).allSatisfy { !$0.help.isEmpty && !$0.help.contains("\n") })
    }

    @Test func `flags that take a value end in an equals sign, by their command`() {
        let table = CompletionTable(Self.strake, hasHelp: false)
        #expect(Self.words(table.flags, behind: "get").contains("--prefix"))
        #expect(Self.words(table.flags, behind: "make-mirror").contains("--prefix="))
        #expect(table.commonFlags.map(\.text).contains("--debug") && table.shortFlags == ["-d", "-w"])
        #expect(table.commonFlags.allSatisfy { $0.help.isEmpty })
    }

    @Test func `a flag's values are listed once, for the short flag too`() {
        let choices = CompletionTable(Self.strake, hasHelp: true).choices
        #expect(Set(choices.map(\.flags)).count == choices.count)
        #expect(choices.first { $0.flags.contains("-w") }?.values == ["simple", "fields", "json", "table", "protobuf"])
    }

    @Test(
        "a script is for the name that it was asked under",
        arguments: [
            BashCompletion.script, ZshCompletion.script, FishCompletion.script, PowerShellCompletion.script,
        ] as [@Sendable (CompletionTable) -> String])
    func name(script: @Sendable (CompletionTable) -> String) {
        let (long, short) = (script(.init(Self.strake, hasHelp: true)), script(.init(Self.etcdctl, hasHelp: true)))
        #expect(long.contains("'strake'") && long.contains("strake ctl") && !long.contains("etcdctl completion"))
        #expect(short.contains("'etcdctl'") && !short.contains("strake ctl"))
    }

    @Test func `variables stand for the flags of all commands, where these are not typed`() throws {
        let common = [CommandFlag("write-out", .text, "simple", ""), CommandFlag("hex", .flag, "false", "")]
        var arguments = try CommandArguments(
            [Array("--hex=false".utf8)], flags: common + [CommandFlag("rev", .integer, "0", "")])
        try arguments.fill(common) {
            ["ETCDCTL_WRITE_OUT": "json", "ETCDCTL_HEX": "true", "ETCDCTL_REV": "7"][$0]
        }
        #expect(arguments.text("write-out") == "json" && !arguments.flag("hex") && arguments.integer("rev") == 0)
    }
}
