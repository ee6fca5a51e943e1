import StrakeFlags
import Testing

struct FlagSetTests {
    private static func flag(_ name: String, _ kind: Flag.Kind, _ fallback: String? = nil) -> Flag {
        Flag(name: name, kind: kind, fallback: fallback, help: "", section: "")
    }

    private static let flags = [
        flag("name", .string, "default"), flag("pre-vote", .bool, "true"), flag("count", .unsigned, "5"),
        flag("quota", .integer, "0"), flag("wait", .duration, "1m"), flag("urls", .urls, "http://localhost:1"),
        flag("servers", .endpoints, "127.0.0.1:2379"), flag("level", .choice(["info", "warn"]), "info"),
        flag("more", .optionalURLs, ""), flag("gates", .gates(["A", "B"]), ""),
    ]

    private static func parsed(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws(FlagError) -> FlagSet {
        var flags = FlagSet(flags)
        try flags.parse(arguments: arguments, environment: environment)
        return flags
    }

    @Test func `values come from words, from behind an equals sign, from the environment, or are the default`() throws {
        let flags = try Self.parsed(
            ["--name", "m1", "-count=7", "--pre-vote=false", "--servers", "a:1,http://b:2,[::1]:3"],
            environment: ["ETCD_QUOTA": "-1", "ETCD_WAIT": ""])
        #expect(flags.string("name") == "m1" && flags.integer("count") == 7 && !flags.bool("pre-vote"))
        #expect(flags.integer("quota") == -1 && flags.milliseconds("wait") == 60_000 && flags.string("level") == "info")
        #expect(flags.endpoints("servers").map(\.description) == ["a:1", "b:2", "[::1]:3"])
        #expect(flags.isSet("name") && !flags.isSet("wait"))
    }

    @Test func `a boolean takes no word`() {
        #expect(throws: FlagError.positional("two")) { try Self.parsed(["--pre-vote", "two"]) }
        #expect(throws: FlagError.positional("two")) { try Self.parsed(["--pre-vote", "--", "two"]) }
    }

    @Test(
        "what is wrong is told with the flag and the reason",
        arguments: [
            (["--nosuch"], "flag provided but not defined: -nosuch"),
            (["--name"], "flag needs an argument: -name"),
            (["--pre-vote=maybe"], "invalid boolean value \"maybe\" for -pre-vote: parse error"),
            (["--count=-1"], "invalid value \"-1\" for flag -count: not a whole number of at least 0"),
            (["--count", "9223372036854775808"], "not a whole number of at least 0"),
            (["--quota=1.5"], "invalid value \"1.5\" for flag -quota: not a whole number"),
            (["--wait=5"], "invalid value \"5\" for flag -wait: not a duration such as 500ms, 10s or 1h30m"),
            (["--level=loud"], "invalid value \"loud\" for flag -level: not one of info, warn"),
            (["--urls="], "invalid value \"\" for flag -urls: URL scheme must be http, https, unix, or unixs: "),
            (["--urls=http://a:1,"], "URL scheme must be http, https, unix, or unixs: "),
            (["--urls=http://a"], "URL address does not have the form \"host:port\": http://a"),
            (["--urls=http://a:70000"], "URL address does not have the form \"host:port\": http://a:70000"),
            (["--urls=http://a:1/b"], "URL must not contain a path: http://a:1/b"),
            (["--servers="], "invalid value \"\" for flag -servers: \"\" is not host:port"),
            (["--servers=a:1,b"], "invalid value \"a:1,b\" for flag -servers: \"b\" is not host:port"),
            (["--servers=a:99999"], "\"a:99999\" is not host:port"),
            (["--servers=:2379"], "\":2379\" is not host:port"),
            (["--servers=ftp://a:1"], "\"ftp://a:1\" is not host:port"),
        ] as [([String], String)])
    func refusal(arguments: [String], reason: String) {
        let error = #expect(throws: FlagError.self) { try Self.parsed(arguments) }
        #expect(error?.message.hasSuffix(reason) == true, "\(error?.message ?? "")")
        #expect(error?.etcdExitCode == 2)
    }

    @Test func `the environment is held to the same rules, and must not say what a flag says`() {
        #expect(throws: FlagError.shadowed(environment: "ETCD_PRE_VOTE")) {
            try Self.parsed(["--pre-vote"], environment: ["ETCD_PRE_VOTE": "true"])
        }
        let error = #expect(throws: FlagError.self) { try Self.parsed([], environment: ["ETCD_COUNT": "many"]) }
        #expect(error?.message == "invalid value \"many\" for ETCD_COUNT: not a whole number of at least 0")
        #expect(error?.etcdMessage == "invalid value \"many\" for ETCD_COUNT: parse error")
        #expect(error?.etcdExitCode == 1)
    }

    @Test(
        "etcd's own words are told too, with what is allowed where they do not say it",
        arguments: [
            (
                "--count=abc", "invalid value \"abc\" for flag -count: parse error",
                "--count: not a whole number of at least 0"
            ),
            (
                "--wait=5", "invalid value \"5\" for flag -wait: parse error",
                "--wait: not a duration such as 500ms, 10s or 1h30m"
            ),
            (
                "--pre-vote=maybe", "invalid boolean value \"maybe\" for -pre-vote: parse error",
                "--pre-vote: neither true nor false"
            ),
            ("--level=loud", "invalid value \"loud\" for flag -level: invalid value", "--level: not one of info, warn"),
            (
                "--gates=C=true", "invalid value \"C=true\" for flag -gates: unrecognized feature gate: C",
                "--gates: not of the form Gate=true,Gate=false with gates among A, B"
            ),
            (
                "--gates=A", "invalid value \"A\" for flag -gates: missing bool value for A",
                "--gates: not of the form Gate=true,Gate=false"
            ),
            (
                "--gates=A=true,B=maybe",
                "invalid value \"A=true,B=maybe\" for flag -gates: invalid value of B=maybe, err: strconv.ParseBool: "
                    + "parsing \"maybe\": invalid syntax", "--gates: B is neither true nor false"
            ),
            (
                "--urls=foo",
                "invalid value \"foo\" for flag -urls: URL scheme must be http, https, unix, or unixs: foo", nil
            ),
            (
                "--experimental-initial-corrupt-check=true",
                "flag provided but not defined: -experimental-initial-corrupt-check",
                "since etcd 3.6 it is --feature-gates=InitialCorruptCheck=true"
            ),
            (
                "--experimental-max-learners=2", "flag provided but not defined: -experimental-max-learners",
                "since etcd 3.6 it is --max-learners"
            ),
        ] as [(String, String, String?)])
    func etcdWords(argument: String, message: String, advice: String?) {
        let error = #expect(throws: FlagError.self) { try Self.parsed([argument]) }
        #expect(error?.etcdMessage == message)
        #expect(error?.advice == advice)
    }

    @Test func `gates and URLs that may be left out`() throws {
        let flags = try Self.parsed(["--gates= A = true ,B=0", "--more="])
        #expect(flags.gates("gates") == ["A": true, "B": false] && flags.list("more").isEmpty)
    }

    @Test func `an idle flag is told of when it is given another value than it has anyway`() throws {
        let idle = Flag(
            name: "idle", kind: .bool, fallback: "false", help: "", section: "", idleBecause: "there is nothing to do")
        var flags = FlagSet([idle] + Self.flags)
        try flags.parse(arguments: ["--idle=false"], environment: [:])
        #expect(flags.idleFlags.isEmpty)
        flags = FlagSet([idle] + Self.flags)
        try flags.parse(arguments: [], environment: ["ETCD_IDLE": "true", "ETCD_NAME": "m"])
        #expect(flags.idleFlags.map(\.name) == ["idle"])
        #expect(flags.usedEnvironment == ["ETCD_IDLE", "ETCD_NAME"])
    }

    @Test func `a help page has each section once, and says of idle flags why they are`() {
        func flag(_ name: String, _ section: String, _ reason: String? = nil) -> Flag {
            Flag(name: name, kind: .string, fallback: "", help: "Help.", section: section, idleBecause: reason)
        }
        let flags = [
            flag("a", "One"), flag("b", "", "there is no b"), flag("c", "Two"), flag("d", "One"),
            flag("e", "", "there is no e"), flag("f", "", "there is no b"),
        ]
        let listing = FlagSet(flags).listing
        #expect(
            listing == """
                One:
                  --a ''
                      Help.
                  --d ''
                      Help.
                Two:
                  --c ''
                      Help.
                Taken without effect, with a warning that says why:
                  --b ''
                  --f ''
                      there is no b
                  --e ''
                      there is no e

                """)
    }

    @Test(
        "a duration that is none is told in Go's words",
        arguments: [
            ("1h30m", nil), ("0", nil), ("-5s", nil), ("", "time: invalid duration \"\""),
            ("abc", "time: invalid duration \"abc\""), ("-1", "time: missing unit in duration \"-1\""),
            ("1h5", "time: missing unit in duration \"1h5\""), ("3d", "time: unknown unit \"d\" in duration \"3d\""),
        ] as [(String, String?)])
    func duration(text: String, problem: String?) {
        #expect(GoDuration.problem(with: text) == problem)
    }
}
