/// The completion script for zsh.
package enum ZshCompletion {
    static let details = """
        For this shell, once compinit has run:  source <(strake ctl completion zsh)
        For all that follow:                    strake ctl completion zsh > "${fpath[1]}/_strake"
        """

    package static func script(_ table: CompletionTable) -> String {
        let name = table.function
        return #"""
            #compdef \#(table.program.name)
            # Completes what is typed behind '\#(table.invocation)' in zsh. Printed by '\#(table.invocation) completion zsh'.

            # Sets reply to the words that may stand behind a command.
            \#(name)_words() {
                reply=()
                case $1 in
            \#(arms(table.words))
                esac
            }

            # Sets reply to a command's flags; those that take a value end in an equals sign.
            \#(name)_flags() {
                reply=()
                case $1 in
            \#(arms(table.flags))
                esac
                reply+=(\#(list(table.commonFlags)))
            }

            # Sets reply to the values that a flag is known to take.
            \#(name)_values() {
                reply=()
                case $1 in
            \#(choices(table))
                esac
            }

            \#(name)_takes_value() {
                case $2 in
                    (\#(table.shortFlags.joined(separator: "|"))) return 0 ;;
                esac
                \#(name)_flags "$1"
                (( ${reply[(I)$2=:*]} || ${reply[(I)$2=]} ))
            }

            # Where there is nothing to offer: names of files.
            \#(name)_offer() {
                if (( $#reply )); then
                    _describe "$1" reply "${@:2}"
                else
                    _default
                fi
            }

            \#(name)_offer_flags() {
                local -a valued
                \#(name)_flags "$1"
                valued=(${(M)reply:#*=(|:*)})
                reply=(${reply:#*=(|:*)})
                valued=(${valued/=/})
                _describe -o option reply -- valued -S =
            }

            \#(name)() {
                local -a reply
                local command= flag= word
                integer i
            \#(siblings(table))    for ((i = \#(table.firstPlace + 1); i < CURRENT; i++)); do
                    word=$words[i]
                    if [[ -n $flag ]]; then
                        flag=
                        continue
                    fi
                    case $word in
                        (--)
                            _default
                            return ;;
                        (-*=*) ;;
                        (-*) if \#(name)_takes_value "$command" "$word"; then flag=$word; fi ;;
                        (*)
                            \#(name)_words "$command"
                            if (( ${reply[(I)$word:*]} || ${reply[(I)$word]} )); then command=${command:+$command }$word; fi ;;
                    esac
                done
                if [[ -n $flag ]]; then
                    \#(name)_values "$flag"
                    \#(name)_offer value
                elif [[ $PREFIX == --*=* ]]; then
                    \#(name)_values "${PREFIX%%=*}"
                    compset -P '*='
                    \#(name)_offer value
                elif [[ $PREFIX == -* ]]; then
                    \#(name)_offer_flags "$command"
                else
                    \#(name)_words "$command"
                    \#(name)_offer command
                fi
            }

            if [[ $funcstack[1] == \#(name) ]]; then
                \#(name) "$@"
            else
                compdef \#(name) \#(CompletionTable.quoted(table.program.name))
            fi
            """#
    }

    private static func siblings(_ table: CompletionTable) -> String {
        guard !table.program.siblings.isEmpty else { return "" }
        return #"""
                if (( CURRENT == 2 )); then
                    reply=(\#(table.program.siblings.joined(separator: " ")))
                    \#(table.function)_offer command
                    return
                fi
                if [[ $words[2] != ctl ]]; then
                    _default
                    return
                fi

            """#
    }

    /// As _describe takes them: a colon stands before what a word is.
    private static func list(_ candidates: [CompletionTable.Candidate]) -> String {
        candidates.map { CompletionTable.quoted($0.help.isEmpty ? $0.text : "\($0.text):\($0.help)") }
            .joined(separator: " ")
    }

    private static func arms(_ rows: CompletionTable.Rows) -> String {
        rows.map { "        ('\($0.command)') reply=(\(list($0.candidates))) ;;" }.joined(separator: "\n")
    }

    private static func choices(_ table: CompletionTable) -> String {
        table.choices.map { choice in
            "        (\(choice.flags.joined(separator: "|"))) reply=(\(choice.values.joined(separator: " "))) ;;"
        }.joined(separator: "\n")
    }
}
