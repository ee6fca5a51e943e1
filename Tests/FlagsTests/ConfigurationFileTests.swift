import StrakeFlags
import Testing

struct ConfigurationFileTests {
    private static func values(_ text: String) throws(ConfigurationError) -> [String: ConfigurationFile.Value] {
        Dictionary(try ConfigurationFile(parsing: text).entries.map { ($0.key, $0.value) }) { first, _ in first }
    }

    @Test(
        "scalars are read as YAML reads them",
        arguments: [
            ("a: b", .scalar("b")),
            ("a:   b c  ", .scalar("b c")),
            ("a: b # a comment", .scalar("b")),
            ("a: b#c", .scalar("b#c")),
            ("a: http://127.0.0.1:2379", .scalar("http://127.0.0.1:2379")),
            ("a: 'it''s # quoted: so' # and not this", .scalar("it's # quoted: so")),
            ("a: \"tab\\tquote\\\"\\u00e9\\x41\"", .scalar("tab\tquote\"\u{e9}A")),
            ("'a': 1", .scalar("1")),
            ("\"a\" : true", .scalar("true")),
            ("a:", .null),
            ("a: ~", .null),
            ("a: null # nothing", .null),
            ("a: # nothing", .null),
            ("a: ''", .scalar("")),
            ("---\na: b\n...\nwhat comes after is not read", .scalar("b")),
            ("\r\n# a comment\r\na: b\r\n", .scalar("b")),
            ("a: [x, 'y, z', \"w\"]", .list(["x", "y, z", "w"])),
            ("a: []", .list([])),
            ("a: [\n  x, # a comment\n  y,\n]", .list(["x", "y"])),
            ("a:\n- x\n- 'y'", .list(["x", "y"])),
            ("a:\n  - x # a comment\n  - http://h:1", .list(["x", "http://h:1"])),
        ] as [(String, ConfigurationFile.Value)])
    func value(text: String, value: ConfigurationFile.Value) throws {
        #expect(try Self.values(text)["a"] == value)
    }

    @Test func `maps within maps have their keys' names after theirs, and entries know their lines`() throws {
        let file = try ConfigurationFile(
            parsing: """
                name: m1

                client-transport-security:
                  # Where the certificate is.
                  cert-file: /c
                  allowed:
                    - x
                  deep:
                    key: 1
                peer-transport-security:
                  cert-file: /p
                last: 2
                """)
        #expect(
            file.entries.map { "\($0.line) \($0.key)" } == [
                "1 name", "5 client-transport-security.cert-file", "6 client-transport-security.allowed",
                "9 client-transport-security.deep.key", "11 peer-transport-security.cert-file", "12 last",
            ])
    }

    @Test(
        "what is not read is refused with its line and key",
        arguments: [
            ("a: b\na: c", "line 2: a: is there twice"),
            ("m:\n  a: 1\n  a: 2", "line 3: m.a: is there twice"),
            ("a", "line 1: not of the form key: value"),
            ("a:b", "line 1: not of the form key: value"),
            (": b", "line 1: not of the form key: value"),
            ("a: b\n   c: d", "line 2: c: is indented more than the keys before it"),
            ("  a: b\nc: d", "line 2: is indented less than the keys before it"),
            ("\ta: b", "line 1: indentation is of blanks, not of tabs"),
            ("- a", "line 1: a list item where a key must be"),
            ("a: b: c", "line 1: a: a second key in the line; quote the value"),
            ("a: {b: c}", "line 1: a: a map in braces; write its keys on lines of their own"),
            ("a: |\n  b", "line 1: a: a text of several lines; quote it in one line"),
            ("a: &x b", "line 1: a: anchors and aliases are not read here"),
            ("a: !!int 5", "line 1: a: tags are not read here"),
            ("a: @b", "line 1: a: the value must be quoted"),
            ("a: 'b", "line 1: a: the quote is not closed in its line"),
            ("a: \"b\\q\"", "line 1: a: unknown escape \\q"),
            ("a: \"\\u12\"", "line 1: a: not a character's code: 12\""),
            ("a: 'b' c", "line 1: a: more text behind the value: c"),
            ("a: [b, [c]]", "line 1: a: a list within a list"),
            ("a: [b", "line 1: a: the list has no ]"),
            ("a: ['b' 'c']", "line 1: a: items of a list are parted by commas"),
            ("a: [b,, c]", "line 1: a: an empty list item"),
            ("a: [b] c", "line 1: a: more text behind the value: c"),
            ("a:\n-", "line 2: a: an empty list item"),
            ("a:\n b:\n  c:\n   d:\n    e: 1", "line 5: a.b.c.d: maps stand too deep in each other"),
        ])
    func refusal(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationFile(parsing: text) }
        #expect(error?.description == message)
    }

    // MARK: Flags

    private static func flag(
        _ name: String, _ kind: Flag.Kind = .string, _ fallback: String? = nil, isSecret: Bool = false
    ) -> Flag {
        Flag(name: name, kind: kind, fallback: fallback, help: "", section: "", isSecret: isSecret)
    }

    private static let flags = [
        flag("name", .string, "default"), flag("count", .unsigned, "5"), flag("wait", .duration, "1m"),
        flag("listen-client-urls", .urls), flag("pre-vote", .bool, "true"), flag("cert-file"), flag("peer-cert-file"),
        flag("client-cert-auth", .bool, "false"), flag("peer-client-cert-auth", .bool, "false"),
        flag("client-cert-allowed-hostname"), flag("peer-cert-allowed-cn"), flag("client-crl-file"),
        flag("peer-crl-file"), flag("feature-gates", .gates(["A", "B"])), flag("socket-reuse-port", .bool, "false"),
        flag("secret", .unsigned, isSecret: true), flag("discovery-token"), flag("discovery-endpoints"),
        flag("discovery-cacert"), flag("discovery-user"), flag("discovery-password", isSecret: true),
    ]

    private static func taken(_ text: String) throws -> (FlagSet, unknown: [String]) {
        var flags = FlagSet(flags)
        try flags.parse(arguments: ["--name", "from the command line", "--count=9"])
        let unknown = try flags.take(try ConfigurationFile(parsing: text))
        return (flags, unknown.map(\.key))
    }

    @Test func `a file's keys are flags, and what else was said counts for nothing`() throws {
        let (flags, unknown) = try Self.taken(
            """
            name: m1
            count:
            wait: 5000000000
            listen-client-urls: [http://127.0.0.1:1, http://127.0.0.1:2]
            client-transport-security:
              cert-file: /c
              client-cert-auth: true
              allowed-hostname: h
              crl-file: /r
              name: not a flag's
            peer-transport-security:
              cert-file: /p
              client-cert-auth: false
              allowed-cn: n
              crl-file: /s
            feature-gates:
              A: true
              B: false
            socket-options:
              reuse-port: true
            proxy: 'off'
            """)
        #expect(flags.string("name") == "m1" && flags.integer("count") == 5 && flags.milliseconds("wait") == 5_000)
        #expect(flags.list("listen-client-urls") == ["http://127.0.0.1:1", "http://127.0.0.1:2"])
        #expect(flags.string("cert-file") == "/c" && flags.string("peer-cert-file") == "/p")
        #expect(flags.bool("client-cert-auth") && !flags.bool("peer-client-cert-auth"))
        #expect(flags.string("client-cert-allowed-hostname") == "h" && flags.string("peer-cert-allowed-cn") == "n")
        #expect(flags.string("client-crl-file") == "/r" && flags.string("peer-crl-file") == "/s")
        #expect(flags.gates("feature-gates") == ["A": true, "B": false] && flags.bool("socket-reuse-port"))
        #expect(unknown == ["client-transport-security.name", "proxy"])
    }

    @Test func `what discovery takes stands in maps within its map, as etcd has them`() throws {
        let (flags, unknown) = try Self.taken(
            """
            discovery-config:
              token: t
              client:
                endpoints: [a:1, b:1]
                secure:
                  cacert: /c
                auth:
                  username: u
                  password: p
              nobody:
                cacert: /d
            """)
        #expect(flags.string("discovery-token") == "t" && flags.list("discovery-endpoints") == ["a:1", "b:1"])
        #expect(flags.string("discovery-cacert") == "/c" && flags.string("discovery-user") == "u")
        #expect(flags.string("discovery-password") == "p")
        #expect(unknown == ["discovery-config.nobody.cacert"])
    }

    @Test(
        "a value that does not fit is told with line, key and form",
        arguments: [
            ("name: a\ncount: many", "line 2: count: invalid value \"many\": not a whole number of at least 0"),
            ("wait: soon", "line 1: wait: invalid value \"soon\": not a duration such as 500ms, 10s or 1h30m"),
            ("pre-vote: maybe", "line 1: pre-vote: invalid value \"maybe\": neither true nor false"),
            ("secret: hush", "line 1: secret: invalid value: not a whole number of at least 0"),
            ("feature-gates:\n  C: true", "line 2: feature-gates.C: invalid value \"true\": not of the form "),
            ("peer-transport-security: /p", "line 1: peer-transport-security: takes keys of its own"),
            (
                "cert-file: /a\nclient-transport-security:\n  cert-file: /b",
                "line 3: client-transport-security.cert-file: says again what another key has said (--cert-file)"
            ),
        ])
    func misfit(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.taken(text) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }
}
