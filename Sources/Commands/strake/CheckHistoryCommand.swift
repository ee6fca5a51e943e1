internal import Glibc
internal import StrakeLinearizability

/// `strake check-history FILE`: judges what clients of a real cluster saw.
struct CheckHistoryCommand {
    private static let usage = """
        Usage:

          strake check-history FILE     '-' reads standard input

        Reads a history of clients, one operation a line as JSON, and says in one line whether the store can have
        carried the operations out one at a time, each between its call and its return. If not, the few operations
        that contradict each other follow on standard error. docs/simulation.md describes the fields.

        Exits with 0 for a linearizable history, with 1 for any other and for one that could not be decided, with 2
        when the file cannot be read or has a line that means nothing.
        """

    /// - Returns: The exit code.
    func run(_ arguments: [String]) -> Int32 {
        if let word = arguments.first, ["--help", "-help", "-h"].contains(word) {
            print(Self.usage)
            return 0
        }
        guard arguments.count == 1, let path = arguments.first, path == "-" || !path.hasPrefix("-") else {
            StrakeCommand.complain("strake check-history takes one FILE; 'strake check-history --help' explains it")
            return 2
        }
        guard let bytes = WholeFile.bytes(of: path) else {
            StrakeCommand.complain("\(path): \(String(cString: strerror(errno)))")
            return 2
        }
        do throws(HistoryFile.Malformed) {
            return judge(try HistoryFile(bytes))
        } catch {
            StrakeCommand.complain("\(path): line \(error.line): \(error.reason)")
            return 2
        }
    }

    private func judge(_ file: HistoryFile) -> Int32 {
        switch LinearizabilityCheck().verdict(on: file.operations) {
        case .linearizable:
            print("linearizable: \(file.operations.count) operations on \(file.keys.count) keys")
            return 0
        case .undecided(let key, let steps):
            print("undecided: key \"\(file.keys[key])\" was given up after \(steps) steps")
            return 1
        case .violation(let violation):
            print("not linearizable: \(Self.sentence(violation, file))")
            for operation in violation.operations {
                let isWhole = operation.isAnswered || file.operations.contains(operation)
                StrakeCommand.complain(
                    "line \(operation.client)\(isWhole ? "" : ", whatever it was answered"): "
                        + (file.lines[operation.client] ?? ""))
            }
            return 1
        }
    }

    private static func sentence(_ violation: Violation, _ file: HistoryFile) -> String {
        let keys = violation.operations.map { "\"\(file.keys[$0.key])\"" }
        return switch violation.rule {
        case .noOrder(let key): "key \"\(file.keys[key])\": no order of its operations explains their answers"
        case .revisionWentBack:
            "key \(keys.last ?? ""): an operation was answered at an earlier revision than one that had ended before it began"
        case .revisionGivenTwice: "key \(keys.first ?? ""): two operations changed the store at one revision"
        }
    }
}
