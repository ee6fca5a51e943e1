internal import StrakeDataDriven
internal import Testing

/// Conversations between members, each with its expected words: see `Support/Interpreter.swift` for the commands.
struct ScenarioTests {
    static let folder = String(#filePath.dropLast("ScenarioTests.swift".count)) + "Scenarios"

    static var names: [String] {
        let paths = (try? ScenarioFile.paths(in: folder)) ?? []
        return paths.map { String($0.dropFirst(folder.count + 1)) }
    }

    @Test func `there are scenarios`() {
        #expect(Self.names.count >= 20)
    }

    @Test(arguments: names)
    func `a conversation goes as written`(name: String) throws {
        var interpreter = Interpreter()
        let mismatches = try ScenarioFile.run(path: Self.folder + "/" + name) { interpreter.run($0) }
        for mismatch in mismatches { Issue.record("\(name), \(mismatch)") }
    }
}
