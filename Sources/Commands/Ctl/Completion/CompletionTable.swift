/// What a shell may offer where, taken from the table of commands.
package struct CompletionTable: Sendable {
    /// A word that may be typed, and what it is.
    package struct Candidate: Hashable, Sendable {
        package var text: String
        package var help: String

        init(_ text: String, _ help: String) {
            self.text = text
            // One line in every shell.
            self.help = String(help.prefix { $0 != "\n" })
        }
    }

    package struct Choice: Hashable, Sendable {
        /// With their dashes: the long one, and the short one if there is one.
        package var flags: [String]
        package var values: [String]
    }

    package typealias Rows = [(command: String, candidates: [Candidate])]

    package let program: Program
    /// Words that may stand behind a command, which is empty at first: commands themselves, in their order.
    package let words: Rows
    /// The flags of a command beside those that all have. Flags that take a value end in an equals sign.
    package let flags: Rows
    package let commonFlags: [Candidate]
    /// Short flags that take a value, with their dash.
    package let shortFlags: [String]
    package let choices: [Choice]

    /// - Parameter hasHelp: Whether candidates say what they are.
    package init(_ program: Program, hasHelp: Bool) {
        self.program = program
        let entries = CommandTable.entries
        let candidate = { (text: String, help: String) in Candidate(text, hasHelp ? help : "") }
        let flags = { (list: [CommandFlag]) in
            list.map { candidate("--\($0.name)\($0.kind == .flag ? "" : "=")", $0.help) }
        }
        words = Self.words(entries, candidate)
        self.flags = entries.filter { !$0.flags.isEmpty }.map { ($0.words.joined(separator: " "), flags($0.flags)) }
        let common = EtcdctlCommand.commonFlags
        commonFlags = flags(common) + [candidate("--help", "what the command takes")]
        shortFlags = common.filter { $0.kind != .flag }.compactMap { $0.short.map { "-\($0)" } }
        choices = Self.choices(entries.flatMap(\.flags) + common)
    }

    private static func words(_ entries: [CommandEntry], _ candidate: (String, String) -> Candidate) -> Rows {
        var rows: Rows = [("", [])]
        for entry in entries {
            let words = entry.words
            if words.count == 1 {
                rows[0].candidates.append(candidate(words[0], entry.help))
            } else if let place = rows.firstIndex(where: { $0.command == words[0] }) {
                rows[place].candidates.append(candidate(words[1], entry.help))
            } else {
                rows[0].candidates.append(candidate(words[0], CommandGroup.summaries[words[0]] ?? ""))
                rows.append((words[0], [candidate(words[1], entry.help)]))
            }
        }
        rows[0].candidates.append(candidate("help", "Help about any command"))
        return rows
    }

    /// Each flag once: where commands share one, they share its values.
    private static func choices(_ flags: [CommandFlag]) -> [Choice] {
        var found: [Choice] = []
        for flag in flags where !flag.choices.isEmpty {
            let choice = Choice(
                flags: ["--\(flag.name)"] + (flag.short.map { ["-\($0)"] } ?? []), values: flag.choices)
            if !found.contains(choice) { found.append(choice) }
        }
        return found
    }

    // MARK: - What all scripts share

    /// The name of a shell function for the program's.
    var function: String {
        "_" + program.name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "_" }.joined()
    }

    /// How many words stand before the first one that may be a command.
    var firstPlace: Int { program.siblings.isEmpty ? 1 : 2 }

    /// As it is typed before a command.
    var invocation: String { program.siblings.isEmpty ? program.name : "\(program.name) ctl" }

    /// In single quotes, as bash and zsh have them.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
