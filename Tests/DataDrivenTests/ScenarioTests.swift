internal import FoundationEssentials
internal import StrakeDataDriven
internal import StrakeTemporaryDirectory
internal import Testing

struct ScenarioTests {
    private let text = """
        # What echo says is what is expected.
        echo one
        ----
        one

        # Two commands, one output.
        echo a
        # A comment between them.
        echo b key=value
        ----
        a
        b key=value

        silent
        ----
        ok

        lines
        ----
        ----
        first

        third
        ----
        ----

        """

    private func run(_ command: Command) -> String {
        switch command.name {
        case "echo": command.text.dropFirst("echo ".count).description
        case "lines": "first\n\nthird"
        default: ""
        }
    }

    @Test func `a conversation that goes as written has no mismatch`() throws {
        var scenario = try Scenario(parsing: text)
        #expect(scenario.directives.map(\.line) == [2, 7, 14, 18])
        #expect(scenario.replay(run) == [])
        #expect(scenario.text.contains("# Two commands, one output.\necho a\n"))
    }

    @Test func `text that is parsed and written is the same`() throws {
        #expect(try Scenario(parsing: text).text == text)
    }

    @Test func `a mismatch names its line and both outputs`() throws {
        var scenario = try Scenario(parsing: "\necho x\n----\ny\n")
        #expect(scenario.replay(run) == [Mismatch(line: 2, expected: "y\n", actual: "x\n")])
        #expect(scenario.text == "\necho x\n----\nx\n")
    }

    @Test func `rewriting changes outputs and nothing else`() throws {
        let wrong = text.replacing("first\n\nthird", with: "wrong").replacing("ok\n", with: "bad\n")
        var scenario = try Scenario(parsing: wrong)
        #expect(scenario.replay(run).count == 2)
        #expect(scenario.text == text)
    }

    @Test func `an output with marks or empty lines is quoted`() throws {
        for output in ["a\n\nb", "\nb", "a\n----\nb"] {
            var scenario = try Scenario(parsing: "say\n----\n")
            _ = scenario.replay { _ in output }
            var again = try Scenario(parsing: scenario.text)
            #expect(again.replay { _ in output } == [])
        }
    }

    @Test func `a directive without a mark is malformed`() {
        #expect(throws: ScenarioError.malformed(line: 2, "no ---- after the commands")) {
            try Scenario(parsing: "\necho x\n\n----\n")
        }
        #expect(throws: ScenarioError.malformed(line: 1, "the quoted output does not end")) {
            try Scenario(parsing: "echo x\n----\n----\nx\n")
        }
    }

    @Test func `a command is a name, words and named arguments`() {
        let command = Command("deliver 1->2 count=3 kind=append =x")
        #expect(command.name == "deliver")
        #expect(command.words == ["1->2", "=x"])
        #expect(command.arguments == ["count": "3", "kind": "append"])
    }

    @Test func `a file is compared, or rewritten`() throws {
        let directory = TemporaryDirectory()
        let folder = directory.path
        let path = folder + "/one.txt"
        try "echo x\n----\ny\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try ScenarioFile.paths(in: folder) == [path])
        #expect(try ScenarioFile.run(path: path, rewriting: false, run).count == 1)
        #expect(try ScenarioFile.run(path: path, rewriting: true, run).isEmpty)
        #expect(try ScenarioFile.run(path: path, rewriting: false, run).isEmpty)
        #expect(throws: ScenarioError.unreadable(path: folder + "/none.txt")) {
            try ScenarioFile.run(path: folder + "/none.txt", run)
        }
    }
}
