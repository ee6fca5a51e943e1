internal import StrakeSockets
internal import StrakeStore

/// What a member says over HTTP on its peer port: what operators and their tools ask of etcd's there, answered as by etcd,
/// and what a member that joins asks. What only etcd's own members ask of each other is refused in etcd's words.
struct PeerEndpoints {
    /// What members of ours ask; etcd has no such path.
    static let discoveryPath = "/strake/members"
    /// What begins so is one question each; without the last slash it is a redirect.
    private static let promotionPath = "/members/promote/"
    private static let streamPath = "/raft/stream/"

    var cluster: UInt64
    /// nil before the member has begun, and after its end.
    var description: ClusterDescription?
    /// nil where no version of etcd is stood for.
    var versions: PeerVersions?
    var now: WallTime

    func answer(_ request: PeerRequest) -> PeerAnswer {
        guard request.minorVersion == 0 || request.hosts > 0 else {
            return .malformed(": missing required Host header")
        }
        guard request.hosts < 2 else { return .malformed(": too many Host headers") }
        guard request.target.hasPrefix("/") else { return .malformed() }
        let clean = HTTPPath.cleaned(request.path)
        var path = clean ?? request.path
        if path + "/" == Self.promotionPath || path + "/" == Self.streamPath { path += "/" }
        return path == request.path ? answer(request, at: path) : Self.redirect(request, to: path)
    }

    private func answer(_ request: PeerRequest, at path: String) -> PeerAnswer {
        switch path {
        case "/version": get(request, version)
        case "/members": get(request) { tell(type: "application/json") { Self.json($0) } }
        case Self.discoveryPath: get(request) { tell(type: "text/plain; charset=utf-8", \.text) }
        // No member can be taken back to an earlier version.
        case "/downgrade/enabled": get(request) { ok("false", type: "text/plain", [clusterHeader]) }
        // The question would be a body, and only members have it.
        case "/members/hashkv": get(request) { .error(400, "error unmarshalling request") }
        case "/raft/probing": ok("{\"OK\":true,\"Now\":\"\(now.timestamp)\"}\n", type: "text/plain; charset=utf-8")
        case "/raft", "/raft/snapshot": only("POST", request) { incompatible }
        case "/leases", "/leases/internal":
            request.method == "POST" ? incompatible : .error(405, "Method Not Allowed")
        case _ where path.hasPrefix(Self.streamPath): get(request) { incompatibleStream }
        case _ where path.hasPrefix(Self.promotionPath):
            only("POST", request) { promotion(of: path.dropFirst(Self.promotionPath.count)) }
        default: .notFound
        }
    }

    private func get(_ request: PeerRequest, _ answer: () -> PeerAnswer) -> PeerAnswer { only("GET", request, answer) }

    private func only(_ method: String, _ request: PeerRequest, _ answer: () -> PeerAnswer) -> PeerAnswer {
        request.method == method ? answer() : .error(405, "Method Not Allowed", headers: [("Allow", method)])
    }

    private func ok(_ body: String, type: String, _ headers: [(name: String, value: String)] = []) -> PeerAnswer {
        PeerAnswer(status: 200, headers: [("Content-Type", type)] + headers, body: body)
    }

    private var clusterHeader: (name: String, value: String) { ("X-Etcd-Cluster-Id", String(cluster, radix: 16)) }

    private func version() -> PeerAnswer {
        guard let versions else { return .notFound }
        let (server, cluster) = (versions.server, versions.cluster)
        return ok(
            "{\"etcdserver\":\"\(server)\",\"etcdcluster\":\"\(cluster)\",\"storage\":\"\(cluster)\"}",
            type: "application/json")
    }

    // MARK: Members

    private func tell(type: String, _ text: (ClusterDescription) -> String) -> PeerAnswer {
        guard let description else { return .error(503, "etcdserver: server stopped", headers: [clusterHeader]) }
        return ok(text(description), type: type, [clusterHeader])
    }

    private static func json(_ description: ClusterDescription) -> String {
        let members = description.peerURLs.sorted { $0.key < $1.key }.map { id, peerURLs in
            var member = "{\"id\":\(id),\"peerURLs\":\(json(peerURLs))"
            if description.learners.contains(id) { member += ",\"isLearner\":true" }
            if let name = description.names[id], !name.isEmpty { member += ",\"name\":\(json(name))" }
            if let urls = description.clientURLs[id], !urls.isEmpty { member += ",\"clientURLs\":\(json(urls))" }
            return member + "}"
        }
        return "[\(members.joined(separator: ","))]\n"
    }

    private static func json(_ texts: [String]) -> String { "[\(texts.map { json($0) }.joined(separator: ","))]" }

    /// A string as Go writes it: with nothing in it that would mean something in HTML.
    private static func json(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": json += "\\\(scalar)"
            case "\n": json += "\\n"
            case "\r": json += "\\r"
            case "\t": json += "\\t"
            case "\u{8}": json += "\\b"
            case "\u{C}": json += "\\f"
            case "\0"..<" ", "<", ">", "&", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }

    // MARK: Members of etcd

    /// What etcd answers to a member that it cannot work with.
    private var incompatible: PeerAnswer {
        var answer = PeerAnswer.error(412, "incompatible version", headers: [clusterHeader])
        answer.isForMembers = true
        return answer
    }

    private func promotion(of text: Substring) -> PeerAnswer {
        guard let id = UInt64(text) else {
            return .error(404, "member \(text) not found in cluster", headers: [clusterHeader])
        }
        if let description, description.peerURLs[id] == nil {
            return .error(404, "membership: ID not found", headers: [clusterHeader])
        }
        return incompatible
    }

    private var incompatibleStream: PeerAnswer {
        var answer = incompatible
        if let versions { answer.headers.append(("X-Server-Version", versions.server)) }
        return answer
    }

    // MARK: Redirects

    private static func redirect(_ request: PeerRequest, to path: String) -> PeerAnswer {
        let redirect = HTTPRedirect(request.method, to: path, from: request.target)
        var answer = PeerAnswer(status: HTTPRedirect.status, headers: [("Location", redirect.location)])
        guard let page = redirect.page else { return answer }
        answer.headers.append(("Content-Type", "text/html; charset=utf-8"))
        answer.body = page
        return answer
    }
}
