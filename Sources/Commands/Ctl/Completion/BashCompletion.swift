/// The completion script for bash, of any version since 3.2; it needs no other package.
package enum BashCompletion {
    static let details = """
        For this shell:       source <(strake ctl completion bash)
        For all that follow:  strake ctl completion bash > /etc/bash_completion.d/strake

        A link named etcdctl prints the script for that name.
        """

    package static func script(_ table: CompletionTable) -> String {
        let name = table.function
        return #"""
            # Completes what is typed behind '\#(table.invocation)' in bash. Printed by '\#(table.invocation) completion bash'.

            # The words that may stand behind a command.
            \#(name)_words() {
                case $1 in
            \#(arms(table.words))
                esac
            }

            # A command's flags; those that take a value end in an equals sign.
            \#(name)_flags() {
                case $1 in
            \#(arms(table.flags))
                esac
                echo \#(CompletionTable.quoted(list(table.commonFlags)))
            }

            # The values that a flag is known to take.
            \#(name)_values() {
                case $1 in
            \#(choices(table))
                esac
            }

            \#(name)_takes_value() {
                case $2 in
                    \#(table.shortFlags.joined(separator: " | "))) return 0 ;;
                esac
                [[ " $("\#(name)_flags" "$1") " == *" $2= "* ]]
            }

            \#(name)_offer() {
                COMPREPLY=($(compgen -W "$1" -- "$2"))
                if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == -*= ]]; then
                    compopt -o nospace 2>/dev/null
                fi
            }

            \#(name)() {
                local words=() command= flag= word current isOpen= i
                COMPREPLY=()
                # Bash takes words apart at = and at colons.
                for ((i = 0; i <= COMP_CWORD; i++)); do
                    word=${COMP_WORDS[i]}
                    if [[ $i -gt 0 && ($word == [=:]* || $isOpen) ]]; then
                        words[${#words[@]}-1]+=$word
                    else
                        words+=("$word")
                    fi
                    isOpen=
                    if [[ $word == *[=:] && $word != -*[=:] ]]; then isOpen=1; fi
                done
                current=${words[${#words[@]}-1]}
            \#(siblings(table))    for ((i = \#(table.firstPlace); i < ${#words[@]} - 1; i++)); do
                    word=${words[i]}
                    if [[ -n $flag ]]; then
                        flag=
                        continue
                    fi
                    case $word in
                        --) return ;;
                        -*=*) ;;
                        -*) if "\#(name)_takes_value" "$command" "$word"; then flag=$word; fi ;;
                        *) if [[ " $("\#(name)_words" "$command") " == *" $word "* ]]; then command=${command:+$command }$word; fi ;;
                    esac
                done
                if [[ -n $flag ]]; then
                    "\#(name)_offer" "$("\#(name)_values" "$flag")" "$current"
                elif [[ $current == --*=* ]]; then
                    "\#(name)_offer" "$("\#(name)_values" "${current%%=*}")" "${current#*=}"
                    if [[ $COMP_WORDBREAKS != *=* ]]; then COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}"); fi
                elif [[ $current == -* ]]; then
                    "\#(name)_offer" "$("\#(name)_flags" "$command")" "$current"
                else
                    "\#(name)_offer" "$("\#(name)_words" "$command")" "$current"
                fi
            }

            # Where there is nothing to offer: names of files.
            complete -o default -F \#(name) \#(CompletionTable.quoted(table.program.name))
            """#
    }

    /// Commands of the program that have no completion: the word itself, and files behind it.
    private static func siblings(_ table: CompletionTable) -> String {
        guard !table.program.siblings.isEmpty else { return "" }
        return #"""
                if [[ ${#words[@]} -eq 2 ]]; then
                    "\#(table.function)_offer" \#(CompletionTable.quoted(table.program.siblings.joined(separator: " "))) "$current"
                    return
                fi
                if [[ ${words[1]} != ctl ]]; then return; fi

            """#
    }

    private static func list(_ candidates: [CompletionTable.Candidate]) -> String {
        candidates.map(\.text).joined(separator: " ")
    }

    private static func arms(_ rows: CompletionTable.Rows) -> String {
        rows.map { "        '\($0.command)') echo \(CompletionTable.quoted(list($0.candidates))) ;;" }
            .joined(separator: "\n")
    }

    private static func choices(_ table: CompletionTable) -> String {
        table.choices.map { choice in
            "        \(choice.flags.joined(separator: " | "))) echo '\(choice.values.joined(separator: " "))' ;;"
        }.joined(separator: "\n")
    }
}
