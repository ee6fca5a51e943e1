internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import StrakeClientFlags
internal import StrakeEtcdWire
internal import StrakeFlags
internal import StrakeHTTP2

/// `strake ctl member replace`: asks for the next step of the replacement until it is done, and says how far it is.
struct MemberReplace {
    private static let path = "/strake.Cluster/MemberReplace"
    /// Between two questions.
    private static let pauseMilliseconds = 500

    private let report: ReplacementReport
    private let endpoints: [Endpoint]
    private let timeoutMilliseconds: Int64
    private let security: ClientSecurity
    private let user: CtlUser?

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
        endpoints = flags.endpoints("endpoints")
        security = try ClientSecurity.read(flags)
        timeoutMilliseconds = flags.milliseconds("timeout")
        user = try CtlUser(flags)
    }

    func run() async throws(CtlError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do throws(CtlError) {
            try await proceed(on: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try? await group.shutdownGracefully()
    }

    private func proceed(on group: MultiThreadedEventLoopGroup) async throws(CtlError) {
        let began = ContinuousClock.now
        var told = ""
        var isFirst = true
        while true {
            var line: String
            do throws(CallError) {
                let answer = try await ask(on: group)
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

    /// The first endpoint answers that is there and has a leader.
    private func ask(on group: MultiThreadedEventLoopGroup) async throws(CallError) -> MemberReplaceResponse {
        var request = MemberReplaceRequest()
        (request.id, request.peerURLs) = (report.old, report.peerURLs)
        let call = GRPCCall(path: Self.path, message: request.encoded(), security: security)
        var failure = CallError(message: "")
        for endpoint in endpoints {
            do throws(CallError) {
                let bytes = try await call.run(at: endpoint, as: user, on: group)
                return try Self.decode(bytes)
            } catch {
                failure = error
                if !error.isPassing { throw error }
            }
        }
        throw failure
    }

    private static func decode(_ bytes: [UInt8]) throws(CallError) -> MemberReplaceResponse {
        do {
            return try bytes.withUnsafeBytes { try MemberReplaceResponse(protobuf: $0) }
        } catch {
            throw CallError(message: "the answer is no MemberReplaceResponse: \(error)")
        }
    }

    private func say(_ line: String) {
        print(line)
        // Whoever reads it through a pipe waits for it.
        fflush(nil)
    }
}

extension CallError {
    /// It may be over by the next question.
    fileprivate var isPassing: Bool {
        switch status {
        case nil, .unavailable, .deadlineExceeded, .resourceExhausted: true
        default: false
        }
    }
}
