internal import StrakeSockets
internal import StrakeStore
internal import Testing

@testable import StrakePeers

/// What is answered over HTTP on the peer port, without a connection.
struct EndpointTests {
    private let now = WallTime(seconds: 1_795_764_585, nanoseconds: 101_247_000)

    private var description: ClusterDescription {
        var description = ClusterDescription(
            cluster: 0xc1, peerURLs: [7: ["http://a:1", "http://b:2"], 2: ["http://c:3"]], learners: [7])
        description.names = [2: "m<2>\"\n", 7: ""]
        description.clientURLs = [2: ["http://d:4"], 7: []]
        return description
    }

    private func answer(
        _ method: String, _ target: String, of description: ClusterDescription? = nil,
        versions: PeerVersions? = PeerVersions(server: "3.7.1", cluster: "3.7.0")
    ) -> PeerAnswer {
        PeerEndpoints(cluster: 0xc1, description: description, versions: versions, now: now)
            .answer(PeerRequest(method: method, target: target))
    }

    @Test func `a path that etcd does not have is not found, whatever the method`() {
        for method in ["GET", "POST", "HEAD", "OPTIONS", "BREW"] {
            for target in ["/", "/health", "/metrics", "/version/", "/members/", "/raft/", "/raft/x", "/strake"] {
                let text = answer(method, target).text(for: PeerRequest(method: method, target: target), date: "now")
                let head = """
                    HTTP/1.1 404 Not Found\r
                    Content-Type: text/plain; charset=utf-8\r
                    X-Content-Type-Options: nosniff\r
                    Date: now\r
                    Content-Length: 19\r
                    Connection: close\r
                    \r

                    """
                #expect(text == (method == "HEAD" ? head : head + "404 page not found\n"), "\(method) \(target)")
            }
        }
    }

    @Test func `a client of HTTP/1.0 is answered in its own version`() {
        let old = PeerRequest(method: "GET", target: "/", minorVersion: 0, hosts: 0)
        let endpoints = PeerEndpoints(cluster: 1, description: nil, versions: nil, now: now)
        #expect(endpoints.answer(old).text(for: old, date: "").hasPrefix("HTTP/1.0 404 Not Found\r\n"))
        let new = PeerRequest(method: "GET", target: "/", minorVersion: 9)
        #expect(endpoints.answer(new).text(for: new, date: "").hasPrefix("HTTP/1.1 404 Not Found\r\n"))
    }

    @Test func `a request names its host once, and begins its path with a slash`() {
        let endpoints = PeerEndpoints(cluster: 1, description: nil, versions: nil, now: now)
        let cases: [(PeerRequest, String)] = [
            (PeerRequest(method: "GET", target: "/", hosts: 0), "400 Bad Request: missing required Host header"),
            (PeerRequest(method: "GET", target: "/", hosts: 2), "400 Bad Request: too many Host headers"),
            (PeerRequest(method: "GET", target: "members"), "400 Bad Request"),
        ]
        for (request, body) in cases {
            let answer = endpoints.answer(request)
            #expect(answer.status == 400 && answer.body == body)
        }
    }

    @Test func `members are told as etcd tells them, in order of their ids`() {
        let answer = answer("GET", "/members?x", of: description)
        #expect(answer.status == 200)
        #expect(
            answer.headers.map { "\($0.name): \($0.value)" } == [
                "Content-Type: application/json", "X-Etcd-Cluster-Id: c1",
            ])
        let voter = #"{"id":2,"peerURLs":["http://c:3"],"name":"m\u003c2\u003e\"\n","clientURLs":["http://d:4"]}"#
        let learner = #"{"id":7,"peerURLs":["http://a:1","http://b:2"],"isLearner":true}"#
        #expect(answer.body == "[\(voter),\(learner)]\n")
        #expect(self.answer("GET", "/strake/members", of: description).body == description.text)
    }

    @Test func `a member that has not begun, or has ended, tells of nobody`() {
        for target in ["/members", "/strake/members"] {
            #expect(answer("GET", target).status == 503)
            #expect(answer("POST", target).status == 405)
        }
    }

    @Test func `a member says for which version of etcd it stands, if for any`() {
        let body = #"{"etcdserver":"3.7.1","etcdcluster":"3.7.0","storage":"3.7.0"}"#
        #expect(answer("GET", "/version?x=1").body == body)
        #expect(answer("GET", "/version", versions: nil).status == 404)
        let refused = answer("HEAD", "/version")
        #expect(refused.status == 405 && refused.headers[0] == ("Allow", "GET"))
    }

    @Test func `small questions have etcd's answers`() {
        #expect(answer("GET", "/downgrade/enabled").body == "false")
        #expect(answer("GET", "/members/hashkv").body == "error unmarshalling request\n")
        for method in ["GET", "PUT"] {
            #expect(answer(method, "/raft/probing").body == #"{"OK":true,"Now":"2026-11-27T07:29:45.101247Z"}"# + "\n")
        }
    }

    @Test func `what only members of etcd ask is refused, and the operator hears of it`() {
        let asked = [
            ("POST", "/raft"), ("POST", "/raft/snapshot"), ("GET", "/raft/stream/msgapp/1"), ("POST", "/leases"),
            ("POST", "/leases/internal"), ("POST", "/members/promote/1"),
        ]
        for (method, target) in asked {
            let answer = answer(method, target)
            #expect(answer.status == 412 && answer.body == "incompatible version\n" && answer.isForMembers)
            let other = self.answer(method == "GET" ? "POST" : "GET", target)
            #expect(other.status == 405 && !other.isForMembers)
            #expect(other.headers.contains { $0.name == "Allow" } == !target.hasPrefix("/leases"))
        }
    }

    @Test func `whom nobody knows nobody promotes`() {
        let cases = [
            ("x", "member x not found in cluster"), ("3", "membership: ID not found"), ("7", "incompatible version"),
        ]
        for (id, text) in cases {
            let answer = answer("POST", "/members/promote/\(id)", of: description)
            #expect(answer.body == text + "\n" && answer.status == (id == "7" ? 412 : 404))
        }
    }

    @Test func `an unclean path leads to the clean one, with its query`() {
        let cases = [
            ("//health", "/health"), ("/health/../version?a=1", "/version?a=1"), ("/./members/", "/members/"),
            ("/raft/stream", "/raft/stream/"), ("//members/promote", "/members/promote/"), ("/..", "/"),
            ("//<a>\"?b&'", "/%3Ca%3E%22?b&'"), ("//evil.example/..", "/"), ("/\\\\//x", "/%5C%5C/x"),
        ]
        for (target, location) in cases {
            let answer = answer("GET", target)
            #expect(answer.status == 307 && answer.headers[0] == ("Location", location), "\(target)")
            #expect(self.answer("POST", target).body.isEmpty)
        }
        #expect(answer("GET", "//a?b&'<").body == "<a href=\"/a?b&amp;&#39;&lt;\">Temporary Redirect</a>.\n\n")
    }

    @Test func `times have as many digits as they need`() {
        #expect(WallTime(seconds: 0, nanoseconds: 0).timestamp == "1970-01-01T00:00:00Z")
        #expect(WallTime(seconds: 951_782_399, nanoseconds: 1).timestamp == "2000-02-28T23:59:59.000000001Z")
        #expect(WallTime(seconds: 951_782_400, nanoseconds: 500_000_000).timestamp == "2000-02-29T00:00:00.5Z")
        #expect(HTTPDate(seconds: 951_782_400).description == "Tue, 29 Feb 2000 00:00:00 GMT")
    }

    // MARK: Requests

    @Test func `a request is there once its head is, however it was cut`() {
        let head = "GET /members?a HTTP/1.1\r\nHost: a\r\nX-Other:\tb c\r\n\r\n"
        let bytes = [UInt8](head.utf8)
        for count in bytes.indices { #expect(PeerRequest.read(bytes.prefix(count)) == .incomplete, "\(count)") }
        let request = PeerRequest(method: "GET", target: "/members?a")
        #expect(PeerRequest.read(bytes) == .request(request))
        #expect(PeerRequest.read(bytes + [0, 255, 10, 13]) == .request(request))
        #expect(request.path == "/members" && request.target == "/members?a")
    }

    @Test func `old, bare and whole-URL requests are read`() {
        let cases: [(String, PeerRequest)] = [
            ("HEAD / HTTP/1.0\n\n", PeerRequest(method: "HEAD", target: "/", minorVersion: 0, hosts: 0)),
            ("GET http://h:1/a?b HTTP/1.1\r\nhOsT:\r\n\r\n", PeerRequest(method: "GET", target: "/a?b")),
            ("GET HTTPS://h?b HTTP/1.1\r\nHost: h\r\n\r\n", PeerRequest(method: "GET", target: "/?b")),
            ("M-SEARCH * HTTP/1.1\nhost:a\nHost:b\n\n", PeerRequest(method: "M-SEARCH", target: "*", hosts: 2)),
        ]
        for (text, request) in cases { #expect(PeerRequest.read(Array(text.utf8)) == .request(request), "\(text)") }
    }

    @Test func `what is no request of HTTP/1 is known at once`() {
        let cases = [
            "\u{16}\u{3}", " GET", "GET /\u{1}", "hello\n", "GET /\r\n", "GET  / HTTP/1.1\r\n", "GET /a b HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.x\r\n", "GET / HTTP/1.10\r\n", "G\"T / HTTP/1.1\r\n",
            "GET /\rx", "GET /ä", "GET / HTTP/1.1\r\nHost\r\n", "GET / HTTP/1.1\r\nHost : a\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n", "\r\n",
        ]
        for text in cases { #expect(PeerRequest.read(Array(text.utf8)) == .none, "\(text)") }
    }
}
