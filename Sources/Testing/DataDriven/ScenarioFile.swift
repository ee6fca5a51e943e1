internal import FoundationEssentials

/// Scenario files on disk. With `STRAKE_REWRITE=1` in the environment a run writes what it got into the file instead of
/// complaining: review the difference as if it were code.
public enum ScenarioFile {
    public static let rewriteVariable = "STRAKE_REWRITE"

    public static var isRewriting: Bool { ProcessInfo.processInfo.environment[rewriteVariable] == "1" }

    /// Runs one file; empty when all is as expected, or was rewritten.
    public static func run(
        path: String, rewriting: Bool = isRewriting, _ run: (Command) throws -> String
    ) throws -> [Mismatch] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ScenarioError.unreadable(path: path)
        }
        var scenario = try Scenario(parsing: text)
        let mismatches = try scenario.replay(run)
        guard rewriting, !mismatches.isEmpty else { return mismatches }
        try scenario.text.write(toFile: path, atomically: true, encoding: .utf8)
        return []
    }

    /// The `.txt` files of a folder, by name.
    public static func paths(in folder: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return names.filter { $0.hasSuffix(".txt") }.sorted().map { folder + "/" + $0 }
    }
}
