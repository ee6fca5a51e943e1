/// An answer over HTTP on the peer port.
struct PeerAnswer {
    var status: Int
    var headers: [(name: String, value: String)] = []
    var body = ""
    /// Only a member of etcd asks so, and cannot be served: the operator should know.
    var isForMembers = false

    /// As Go's `http.Error` has it.
    static func error(_ status: Int, _ text: String, headers: [(name: String, value: String)] = []) -> PeerAnswer {
        let kind = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
        return PeerAnswer(status: status, headers: headers + kind, body: text + "\n")
    }

    static let notFound = error(404, "404 page not found")

    /// Go's server says it of a request that it does not understand, before any handler.
    static func malformed(_ problem: String = "") -> PeerAnswer {
        PeerAnswer(
            status: 400, headers: [("Content-Type", "text/plain; charset=utf-8")], body: "400 Bad Request\(problem)")
    }

    /// What goes out; the connection ends after it.
    ///
    /// - Parameter date: The value of the header `Date`.
    func text(for request: PeerRequest, date: String) -> String {
        // A client of HTTP/1.0 is answered in its own version.
        var text = "HTTP/1.\(min(request.minorVersion, 1)) \(status) \(reason)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        text += "Date: \(date)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        return request.method == "HEAD" ? text : text + body
    }

    private var reason: String {
        switch status {
        case 200: "OK"
        case 307: "Temporary Redirect"
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 412: "Precondition Failed"
        case 503: "Service Unavailable"
        default: preconditionFailure("no answer has the status \(status)")
        }
    }
}
