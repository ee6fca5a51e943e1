/// The completion script for fish.
package enum FishCompletion {
    static let details = """
        For this shell:       strake ctl completion fish | source
        For all that follow:  strake ctl completion fish > ~/.config/fish/completions/strake.fish
        """

    package static func script(_ table: CompletionTable) -> String {
        let name = "_" + table.function
        return #"""
            # Completes what is typed behind '\#(table.invocation)' in fish. Printed by '\#(table.invocation) completion fish'.

            # The words that may stand behind a command.
            function \#(name)_words
                switch "$argv[1]"
            \#(arms(table.words))
                end
            end

            # A command's flags; those that take a value end in an equals sign.
            function \#(name)_flags
                switch "$argv[1]"
            \#(arms(table.flags))
                end
                printf '%s\t%s\n' \#(list(table.commonFlags))
            end

            # The values that a flag is known to take.
            function \#(name)_values
                switch "$argv[1]"
            \#(choices(table))
                end
            end

            function \#(name)_takes_value
                contains -- $argv[2] \#(table.shortFlags.joined(separator: " ")); and return 0
                \#(name)_flags "$argv[1]" | string match -q -- "$argv[2]="\t'*'
            end

            function \#(name)
                set -l words (commandline -opc)
                set -l current (commandline -ct)
                set -l command ''
                set -l flag ''
            \#(siblings(table))    for word in $words[\#(table.firstPlace + 1)..-1]
                    if test -n "$flag"
                        set flag ''
                        continue
                    end
                    switch "$word"
                        case --
                            return
                        case '-*=*'
                        case '-*'
                            \#(name)_takes_value "$command" $word; and set flag $word
                        case '*'
                            if \#(name)_words "$command" | string match -q -- $word\t'*'
                                set command (string trim "$command $word")
                            end
                    end
                end
                if test -n "$flag"
                    \#(name)_values $flag
                else if string match -q -- '--*=*' $current
                    set -l parts (string split -m 1 = -- $current)
                    string replace -r -- '^' "$parts[1]=" (\#(name)_values $parts[1])
                else if string match -q -- '-*' $current
                    \#(name)_flags "$command"
                else
                    \#(name)_words "$command"
                end
            end

            function \#(name)_offers
                set -l found (\#(name))
                test -n "$found"
            end

            # Where there is nothing to offer: names of files.
            complete -c \#(quoted(table.program.name)) -f -n \#(name)_offers -a '(\#(name))'
            """#
    }

    private static func siblings(_ table: CompletionTable) -> String {
        guard !table.program.siblings.isEmpty else { return "" }
        return #"""
                if test (count $words) -eq 1
                    printf '%s\n' \#(table.program.siblings.joined(separator: " "))
                    return
                end
                test "$words[2]" = ctl; or return

            """#
    }

    private static func list(_ candidates: [CompletionTable.Candidate]) -> String {
        candidates.map { "\(quoted($0.text)) \(quoted($0.help))" }.joined(separator: " ")
    }

    private static func arms(_ rows: CompletionTable.Rows) -> String {
        rows.map { row in
            "        case '\(row.command)'\n            printf '%s\\t%s\\n' \(list(row.candidates))"
        }.joined(separator: "\n")
    }

    private static func choices(_ table: CompletionTable) -> String {
        table.choices.map { choice in
            "        case \(choice.flags.joined(separator: " "))\n"
                + "            printf '%s\\n' \(choice.values.joined(separator: " "))"
        }.joined(separator: "\n")
    }

    /// In single quotes, where fish knows two escapes.
    private static func quoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "'"
    }
}
