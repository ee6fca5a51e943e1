internal import Glibc
internal import StrakeClient
internal import StrakeEtcdWire
internal import StrakeFlags

/// `strake ctl member replace`: asks for the next step of the replacement until it is done, and says how far it is.
struct MemberReplace {
    /// Between two questions.
    private static let pauseMilliseconds = 500

    private let report: ReplacementReport
    private let client: StrakeClient
    private let timeoutMilliseconds: Int64

    init(_ words: [String], _ flags: FlagSet) throws(CtlError) {
        guard words.count == 3 else {
            throw CtlError(
                "member replace takes OLD_ID, NAME and PEER_URLS; 'strake ctl --help' explains them", exitCode: 2)
        }
        guard let old = UInt64(words[0], radix: 16), old != 0 else {
            throw CtlError(
                "OLD_ID: \"\(words[0])\" is not a member's id, hexadecimal as `etcdctl member list` prints it",
                exitCode: 2)
        }
        guard !words[1].isEmpty, !words[1].contains("="), !words[1].contains(",") else {
            throw CtlError("NAME: \"\(words[1])\" cannot be a member's name", exitCode: 2)
        }
        let peerURLs = words[2].split(separator: ",").map(String.init)
        let isValid = { (text: String) in ListenURL(text).map { $0.scheme == "http" || $0.scheme == "https" } ?? false }
        if let bad = peerURLs.first(where: { !isValid($0) }) ?? (peerURLs.isEmpty ? words[2] : nil) {
            throw CtlError("PEER_URLS: \"\(bad)\" is not a URL with scheme, host and port", exitCode: 2)
        }
        guard flags.milliseconds("timeout") >= 0 else { throw CtlError("--timeout must not be below 0", exitCode: 2) }
        report = ReplacementReport(old: old, name: words[1], peerURLs: peerURLs)
        timeoutMilliseconds = flags.milliseconds("timeout")
        client = try CtlClient.make(flags, flags.endpoints("endpoints"))
    }

    func run() async throws(CtlError) {
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
                guard !isFirst, error.isPassing else { throw CtlError(error.message) }
                line = "waiting: \(error.message)"
            }
            if line != told { say(line) }
            told = line
            if timeoutMilliseconds > 0, began.duration(to: .now) >= .milliseconds(timeoutMilliseconds) {
                throw CtlError("not done within --timeout; given again, the command goes on where the cluster stands")
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    private func say(_ line: String) {
        print(line)
        // Whoever reads it through a pipe waits for it.
        fflush(nil)
    }
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
