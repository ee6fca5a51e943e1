internal import StrakeEtcdWire
internal import StrakeGateway
internal import StrakeModel
internal import StrakeSockets
internal import StrakeStateMachine
internal import StrakeStore

/// A plain HTTP request, whichever protocol brought it.
struct HTTPRequest {
    var method: String
    /// Path and query.
    var target: String
    /// Name and port that the client says it has reached.
    var host = ""
    /// Where the page is from that asks, if one does.
    var origin: String?
    /// It came over TLS.
    var isSecure = false

    var path: String { String(target.prefix { $0 != "?" }) }

    /// Values of the query's fields, in order; percent escapes are left as they are, since no value needs one.
    func values(of name: String) -> [String] {
        guard let mark = target.firstIndex(of: "?") else { return [] }
        return target[target.index(after: mark)...].split(separator: "&").compactMap { field in
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.first.map(String.init) == name else { return nil }
            return parts.count == 2 ? String(parts[1]) : ""
        }
    }
}

struct HTTPAnswer {
    var status: Int
    var headers: [(name: String, value: String)] = []
    var body: String = ""
}

/// The HTTP endpoints of the client port, as etcd answers them.
struct HTTPEndpoints {
    private static let plain = ("content-type", "text/plain; charset=utf-8")
    private static let noSniff = ("x-content-type-options", "nosniff")

    /// What is served where.
    enum Port {
        case client
        /// Metrics and health, for those who may not reach the client's port.
        case metrics
    }

    private let loop: LoopContext
    private let port: Port
    private var service: Service { loop.service }

    init(loop: LoopContext, port: Port = .client) {
        self.loop = loop
        self.port = port
    }

    /// On the loop, and answered there: at once, unless the health of the cluster has to be tried with a read.
    func answer(_ request: HTTPRequest, _ done: @escaping (HTTPAnswer) -> Void) {
        guard triesRead(request) else { return done(answer(request, readFailure: nil)) }
        loop.read { failure in done(answer(request, readFailure: failure)) }
    }

    /// The answer says whether a linearizable read succeeds.
    private func triesRead(_ request: HTTPRequest) -> Bool {
        guard request.method == "GET", HTTPPath.cleaned(request.path) == nil, access.refusal(of: request) == nil else {
            return false
        }
        if request.path == "/health" {
            return refusal(request) == nil && request.values(of: "serializable").first != "true"
        }
        guard let checks = Self.checks(for: request.path), checks.contains(.linearizableRead) else { return false }
        return !request.values(of: "exclude").contains(Check.linearizableRead.rawValue)
    }

    private func answer(_ request: HTTPRequest, readFailure: StoreError?) -> HTTPAnswer {
        if port == .metrics {
            // Browsers have no business here, so there is nothing to allow them.
            guard request.path != "/version" else {
                return HTTPAnswer(status: 404, headers: [Self.plain, Self.noSniff], body: "404 page not found\n")
            }
            return route(request, readFailure)
        }
        if let refusal = access.refusal(of: request) { return refusal }
        var answer = request.method == "OPTIONS" ? HTTPAnswer(status: 200) : route(request, readFailure)
        answer.headers += access.headers(for: request)
        return answer
    }

    private var access: HTTPAccess { HTTPAccess(service.options) }
    private var servesGateway: Bool { port == .client && service.options.servesGateway }

    // MARK: /v3/

    /// The call that a request of the gateway stands for; `nil` for one that `answer` answers.
    func gatewayRoute(of request: HTTPRequest) -> GatewayRoute? {
        let path = request.path
        guard servesGateway, request.method == "POST", GatewayRoute.isPrefix(of: path),
            HTTPPath.cleaned(path) == nil, access.refusal(of: request) == nil
        else { return nil }
        return GatewayRoute.find(path)
    }

    /// Headers of an answer of the gateway, besides its own.
    func gatewayHeaders(for request: HTTPRequest) -> [(name: String, value: String)] { access.headers(for: request) }

    private static func gatewayRefusal(_ request: HTTPRequest) -> HTTPAnswer {
        answer(GatewayRoute.find(request.path) == nil ? .unknownPath : .notPosted)
    }

    /// What the gateway answers without a call.
    static func answer(_ error: GatewayError) -> HTTPAnswer {
        HTTPAnswer(
            status: error.httpStatus, headers: GatewayExchange.errorHeaders(error),
            body: String(decoding: error.body, as: UTF8.self))
    }

    private func route(_ request: HTTPRequest, _ readFailure: StoreError?) -> HTTPAnswer {
        let path = request.path
        let redirect = path == "/v3" && servesGateway ? GatewayRoute.prefix : HTTPPath.cleaned(path)
        if let clean = redirect {
            let redirect = HTTPRedirect(request.method, to: clean, from: request.target)
            let type = redirect.page == nil ? [] : [("content-type", "text/html; charset=utf-8")]
            return HTTPAnswer(
                status: HTTPRedirect.status, headers: [("location", redirect.location)] + type,
                body: redirect.page ?? "")
        }
        if path == "/metrics" {
            let type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            service.metrics.scrapesInFlight.add(1)
            defer {
                service.metrics.scrapesInFlight.add(-1)
                service.metrics.scrapes.add(1)
            }
            return HTTPAnswer(status: 200, headers: [("content-type", type)], body: MetricsPage(service).text)
        }
        if servesGateway, GatewayRoute.isPrefix(of: path) { return Self.gatewayRefusal(request) }
        let checks = Self.checks(for: path)
        let arguments = port == .client && path == "/debug/vars" ? service.options.shownArguments : nil
        guard path == "/health" || path == "/version" || checks != nil || arguments != nil else {
            return HTTPAnswer(status: 404, headers: [Self.plain, Self.noSniff], body: "404 page not found\n")
        }
        guard request.method == "GET" else {
            return HTTPAnswer(
                status: 405, headers: [("allow", "GET"), Self.plain, Self.noSniff], body: "Method Not Allowed\n")
        }
        if let checks { return run(checks, request, readFailure) }
        if let arguments {
            return HTTPAnswer(
                status: 200, headers: [("content-type", "application/json; charset=utf-8")],
                body: DebugVariables(service, arguments: arguments).text)
        }
        return path == "/version" ? version() : health(request, readFailure)
    }

    private func version() -> HTTPAnswer {
        let (server, cluster) = (service.options.version, service.options.clusterVersion)
        return HTTPAnswer(
            status: 200, headers: [("content-type", "application/json")],
            body: "{\"etcdserver\":\"\(server)\",\"etcdcluster\":\"\(cluster)\",\"storage\":\"\(cluster)\"}")
    }

    // MARK: /health

    private func health(_ request: HTTPRequest, _ readFailure: StoreError?) -> HTTPAnswer {
        let answer =
            refusal(request) ?? readFailure.map { unhealthy("RANGE ERROR:\(EtcdStatus($0).message)") }
            ?? HTTPAnswer(status: 200, headers: [Self.plain], body: "{\"health\":\"true\",\"reason\":\"\"}")
        (answer.status == 200 ? service.metrics.healthSuccesses : service.metrics.healthFailures).add(1)
        return answer
    }

    /// What is known to be wrong without a try.
    private func refusal(_ request: HTTPRequest) -> HTTPAnswer? {
        let excluded = Set(request.values(of: "exclude"))
        let alarm = service.store.alarms.lazy
            .sorted { $0.alarm < $1.alarm }
            .map(Self.name).first { !excluded.contains($0) }
        if let alarm { return unhealthy("ALARM \(alarm)") }
        if request.values(of: "serializable").first != "true", !service.hasLeader { return unhealthy("RAFT NO LEADER") }
        return service.store.isServing ? nil : unhealthy("RANGE ERROR:etcdserver: server stopped")
    }

    private func unhealthy(_ reason: String) -> HTTPAnswer {
        HTTPAnswer(
            status: 503, headers: [Self.plain, Self.noSniff],
            body: "{\"health\":\"false\",\"reason\":\"\(reason)\"}\n")
    }

    private static func name(of alarm: AlarmMember) -> String {
        switch alarm.alarm {
        case AlarmMember.noSpace: "NOSPACE"
        case AlarmMember.corrupt: "CORRUPT"
        default: "UNKNOWN"
        }
    }

    // MARK: /livez, /readyz

    private enum Check: String, CaseIterable {
        case dataCorruption = "data_corruption"
        case serializableRead = "serializable_read"
        case linearizableRead = "linearizable_read"
        case nonLearner = "non_learner"
    }

    private static let endpoints: [(path: String, checks: [Check])] = [
        ("/livez", [.serializableRead]), ("/readyz", Check.allCases),
    ]

    private static func checks(for path: String) -> [Check]? {
        for endpoint in endpoints {
            if path == endpoint.path { return endpoint.checks }
            for check in endpoint.checks where path == "\(endpoint.path)/\(check.rawValue)" { return [check] }
        }
        return nil
    }

    private func run(_ checks: [Check], _ request: HTTPRequest, _ readFailure: StoreError?) -> HTTPAnswer {
        let excluded = Set(request.values(of: "exclude"))
        var lines = ""
        var passes = true
        for check in checks where !excluded.contains(check.rawValue) {
            if let problem = problem(of: check, readFailure) {
                passes = false
                lines += "[-]\(check.rawValue) failed: \(problem)\n"
            } else {
                lines += "[+]\(check.rawValue) ok\n"
            }
        }
        let headers = [Self.plain, Self.noSniff]
        guard passes else { return HTTPAnswer(status: 503, headers: headers, body: lines + "\n") }
        let isVerbose = !request.values(of: "verbose").isEmpty
        return HTTPAnswer(status: 200, headers: headers, body: (isVerbose ? lines : "") + "ok\n")
    }

    private func problem(of check: Check, _ readFailure: StoreError?) -> String? {
        switch check {
        case .dataCorruption:
            service.store.alarms.contains { $0.alarm == AlarmMember.corrupt } ? "alarm activated: CORRUPT" : nil
        case .serializableRead: service.store.isServing ? nil : "etcdserver: server stopped"
        case .linearizableRead: readFailure.map { EtcdStatus($0).message }
        case .nonLearner: service.store.isLearner ? "not supported for learner" : nil
        }
    }
}
