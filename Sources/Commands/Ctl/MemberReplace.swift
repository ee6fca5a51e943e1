internal import StrakeClient
internal import StrakeEtcdWire
internal import StrakeFlags

/// `strake ctl member replace`: asks for the next step of the replacement until it is done, and says how far it is.
struct MemberReplace {
    static let help = "Puts a new member in the place of an old one, which may be dead"

    static let details = """
        OLD_ID is as 'member list' prints it; NAME and PEER_URLS (comma-separated, not the old member's) are the new
        member's. In this order:

          1. The new member is added as a learner. The command prints what to start it with.
          2. It catches up, by a snapshot if need be. The command shows how far it is.
          3. One joint change makes it a voter and removes the old member: at no time has the cluster
             one voter more, or one less.

        The command can be stopped and given again at any time; it goes on where the cluster stands. To call a replacement
        off, stop the command and remove the new member with 'member remove'.

        It asks the cluster again and again; --command-timeout is for each question, and 15s where it is not given. What it
        prints is for people: outputs other than simple are refused.
        """

    static let flags = [
        CommandFlag("timeout", .duration, "0", "how long to wait for the new member; 0 is without end")
    ]

    /// Longer than a server takes to give up.
    private static let requestTimeout = Duration.seconds(15)
    /// Between two questions.
    private static let pauseMilliseconds = 500

    private let report: ReplacementReport
    private let client: StrakeClient
    private let timeout: Duration

    init(_ context: CommandContext) throws(CommandFailure) {
        report = try Self.report(context.words)
        timeout = context.arguments.duration("timeout")
        guard timeout >= .zero else { throw .arguments("--timeout must not be below 0") }
        try context.printer.refuse(.fields, .json, .protobuf, .table)
        let arguments = context.arguments
        client = try context.lazyClient { options in
            if !arguments.isSet("command-timeout") { options.requestTimeout = Self.requestTimeout }
            // Each of them may be asked; who asks again is the command.
            options.maxUnaryTries = max(context.endpoints.count, 1)
        }
    }

    private static func report(_ words: [String]) throws(CommandFailure) -> ReplacementReport {
        guard words.count == 3 else {
            throw .arguments(
                "member replace takes OLD_ID, NAME and PEER_URLS; 'strake ctl member replace --help' explains them")
        }
        guard let old = UInt64(words[0], radix: 16), old != 0 else {
            throw .arguments(
                "OLD_ID: \"\(words[0])\" is not a member's id, hexadecimal as `etcdctl member list` prints it")
        }
        guard !words[1].isEmpty, !words[1].contains("="), !words[1].contains(",") else {
            throw .arguments("NAME: \"\(words[1])\" cannot be a member's name")
        }
        let peerURLs = words[2].split(separator: ",").map(String.init)
        let isValid = { (text: String) in ListenURL(text).map { $0.scheme == "http" || $0.scheme == "https" } ?? false }
        if let bad = peerURLs.first(where: { !isValid($0) }) ?? (peerURLs.isEmpty ? words[2] : nil) {
            throw .arguments("PEER_URLS: \"\(bad)\" is not a URL with scheme, host and port")
        }
        return ReplacementReport(old: old, name: words[1], peerURLs: peerURLs)
    }

    func run() async throws(CommandFailure) {
        defer { client.close() }
        let began = ContinuousClock.now
        var told = ""
        var isFirst = true
        while true {
            var line: String
            do throws(StrakeClientError) {
                let answer = try await client.replaceMember(report.old, peerURLs: report.peerURLs).body
                let introduction = isFirst ? report.introduction(of: answer) : nil
                isFirst = false
                line = report.progress(of: answer)
                if answer.state == .done { return say(introduction ?? line) }
                if let introduction { say(introduction) }
            } catch {
                // Once it has begun, a cluster that is busy with itself for a moment is no reason to leave it.
                guard !isFirst, error.isPassing else { throw CommandFailure(error.goText) }
                line = "waiting: \(error.message)"
            }
            if line != told { say(line) }
            told = line
            if timeout > .zero, began.duration(to: .now) >= timeout {
                throw CommandFailure(
                    "not done within --timeout; given again, the command goes on where the cluster stands")
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    private func say(_ line: String) { CommandOutput.line(line) }
}

extension StrakeClientError {
    /// It may be over by the next question.
    fileprivate var isPassing: Bool {
        switch code {
        case .unavailable, .deadlineExceeded, .resourceExhausted: true
        default: false
        }
    }
}
