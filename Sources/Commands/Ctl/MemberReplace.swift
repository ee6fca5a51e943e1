internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import StrakeEtcdWire
internal import StrakeFlags
internal import StrakeHTTP2

/// `strake ctl member replace`: asks for the next step of the replacement until it is done, and says how far it is.
struct MemberReplace {
    private static let path = "/strake.Cluster/MemberReplace"
    /// Between two questions.
    private static let pauseMilliseconds = 500

    private let old: UInt64
    private let name: String
    private let peerURLs: [String]
    private let endpoints: [Endpoint]
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
        self.old = old
        name = words[1]
        peerURLs = words[2].split(separator: ",").map(String.init)
        let isValid = { (text: String) in ListenURL(text).map { $0.scheme == "http" || $0.scheme == "https" } ?? false }
        if let bad = peerURLs.first(where: { !isValid($0) }) ?? (peerURLs.isEmpty ? words[2] : nil) {
            throw CtlError("PEER_URLS: \"\(bad)\" is not a URL with scheme, host and port", exitCode: 2)
        }
        var endpoints: [Endpoint] = []
        for text in flags.list("endpoints") {
            guard let url = ListenURL(text.contains("://") ? text : "http://" + text), url.scheme == "http" else {
                throw CtlError("--endpoints: \"\(text)\" is not host:port", exitCode: 2)
            }
            endpoints.append(Endpoint(host: url.host, port: url.port))
        }
        guard !endpoints.isEmpty else { throw CtlError("--endpoints is empty", exitCode: 2) }
        self.endpoints = endpoints
        timeoutMilliseconds = flags.milliseconds("timeout")
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
                if isFirst { introduce(answer) }
                isFirst = false
                line = progress(answer)
                if answer.state == .done { return say(line, isFirst: told.isEmpty) }
            } catch {
                // Once it has begun, a cluster that is busy with itself for a moment is no reason to leave it.
                guard !isFirst, error.isPassing else { throw CtlError(error.message) }
                line = "waiting: \(error.message)"
            }
            if line != told { say(line, isFirst: told.isEmpty) }
            told = line
            if timeoutMilliseconds > 0, began.duration(to: .now) >= .milliseconds(timeoutMilliseconds) {
                throw CtlError("not done within --timeout; given again, the command goes on where the cluster stands")
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    /// The first endpoint that is there answers.
    private func ask(on group: MultiThreadedEventLoopGroup) async throws(CallError) -> MemberReplaceResponse {
        var request = MemberReplaceRequest()
        (request.id, request.peerURLs) = (old, peerURLs)
        let call = UnaryCall(path: Self.path, message: request.encoded())
        var failure = CallError(message: "")
        for endpoint in endpoints {
            do throws(CallError) {
                let bytes = try await call.run(at: endpoint, on: group)
                return try Self.decode(bytes)
            } catch {
                failure = error
                if error.status != nil { throw error }
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

    // MARK: Telling

    private func introduce(_ answer: MemberReplaceResponse) {
        let (old, id) = (String(self.old, radix: 16), String(answer.newID, radix: 16))
        switch answer.state {
        case .added, .catchingUp:
            let others = answer.members.filter { $0.id != self.old && $0.id != answer.newID && !$0.name.isEmpty }
            let initial = others.flatMap { member in member.peerURLs.map { "\(member.name)=\($0)" } }
            let own = peerURLs.map { "\(name)=\($0)" }
            print(
                """
                Member \(id) is to replace member \(old), and is a learner until then. Start it with:

                ETCD_NAME="\(name)"
                ETCD_INITIAL_CLUSTER="\((initial + own).joined(separator: ","))"
                ETCD_INITIAL_ADVERTISE_PEER_URLS="\(peerURLs.joined(separator: ","))"
                ETCD_INITIAL_CLUSTER_STATE="existing"

                """)
        case .changing: break
        case .done: print("Member \(old) is not in the cluster, and member \(id) votes: there is nothing to do.")
        }
        fflush(nil)
    }

    private func progress(_ answer: MemberReplaceResponse) -> String {
        let (old, id) = (String(self.old, radix: 16), String(answer.newID, radix: 16))
        switch answer.state {
        case .added: return "waiting for member \(id) to start"
        case .catchingUp:
            guard answer.matched > 0 else {
                return answer.isInTouch ? "member \(id) receives a snapshot" : "waiting for member \(id) to start"
            }
            let percent = answer.last == 0 ? 100 : answer.matched * 100 / answer.last
            return "catching up: \(answer.matched) of \(answer.last) entries (\(percent) %)"
        case .changing: return "changing the membership"
        case .done: return "Member \(old) is replaced by member \(id)"
        }
    }

    private func say(_ line: String, isFirst: Bool) {
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
