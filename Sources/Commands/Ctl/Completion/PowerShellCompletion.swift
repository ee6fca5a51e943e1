/// The completion script for PowerShell.
package enum PowerShellCompletion {
    static let details = """
        For this shell:       strake ctl completion powershell | Out-String | Invoke-Expression
        For all that follow:  put its output into the profile
        """

    package static func script(_ table: CompletionTable) -> String {
        #"""
        # Completes what is typed behind '\#(table.invocation)' in PowerShell. Printed by
        # '\#(table.invocation) completion powershell'.
        Register-ArgumentCompleter -Native -CommandName \#(quoted(table.program.name)) -ScriptBlock {
            param($current, $ast, $position)

            # The words that may stand behind a command.
            $words = @{
        \#(arms(table.words))
            }
            # A command's flags; those that take a value end in an equals sign.
            $flags = @{
        \#(arms(table.flags))
            }
            $commonFlags = \#(map(table.commonFlags))
            # The values that a flag is known to take.
            $values = @{
        \#(choices(table))
            }
            $shortFlags = @(\#(table.shortFlags.map(quoted).joined(separator: ", ")))

            $command = ''
            $flag = ''
            $typed = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { "$_" })
        \#(siblings(table))    foreach ($word in $typed | Select-Object -Skip \#(table.firstPlace)) {
                $own = $flags[$command]
                if ($flag) { $flag = ''; continue }
                if ($word -eq '--') { return }
                if ($word -like '-*=*') { continue }
                if ($word -like '-*') {
                    $isValued = $commonFlags.Contains("$word=") -or ($own -and $own.Contains("$word="))
                    if ($isValued -or $shortFlags -ccontains $word) { $flag = $word }
                } elseif ($words[$command] -and $words[$command].Contains($word)) {
                    $command = "$command $word".Trim()
                }
            }

            $offered = [ordered]@{}
            if ($flag) {
                foreach ($value in $values[$flag]) { $offered[$value] = '' }
            } elseif ($current -like '--*=*') {
                $name = $current.Split('=')[0]
                foreach ($value in $values[$name]) { $offered["$name=$value"] = '' }
            } elseif ($current -like '-*') {
                foreach ($set in @($flags[$command], $commonFlags)) {
                    if ($set) { foreach ($key in $set.Keys) { $offered[$key] = $set[$key] } }
                }
            } elseif ($words[$command]) {
                $offered = $words[$command]
            }
            $offered.Keys | Where-Object { $_ -like "$current*" } | ForEach-Object {
                $help = if ($offered[$_]) { $offered[$_] } else { $_ }
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $help)
            }
        }
        """#
    }

    private static func siblings(_ table: CompletionTable) -> String {
        guard !table.program.siblings.isEmpty else { return "" }
        return #"""
                if ($typed.Count -eq 1) {
                    return @(\#(table.program.siblings.map(quoted).joined(separator: ", "))) | Where-Object { $_ -like "$current*" }
                }
                if ($typed[1] -ne 'ctl') { return }

            """#
    }

    private static func map(_ candidates: [CompletionTable.Candidate]) -> String {
        "[ordered]@{ " + candidates.map { "\(quoted($0.text)) = \(quoted($0.help))" }.joined(separator: "; ") + " }"
    }

    private static func arms(_ rows: CompletionTable.Rows) -> String {
        rows.map { "        '\($0.command)' = \(map($0.candidates))" }.joined(separator: "\n")
    }

    private static func choices(_ table: CompletionTable) -> String {
        table.choices.flatMap { choice in
            choice.flags.map { "        '\($0)' = @(\(choice.values.map(quoted).joined(separator: ", ")))" }
        }.joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
