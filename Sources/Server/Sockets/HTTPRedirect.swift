/// Where a request for a path that is not clean is sent, as Go's multiplexer does it: the query goes along.
package struct HTTPRedirect {
    package static let status = 307

    package let location: String
    /// HTML for who does not follow by himself; nil for methods that no link has.
    package let page: String?

    /// - Parameters:
    ///   - path: The clean one.
    ///   - target: Path and query as they were asked for.
    package init(_ method: String, to path: String, from target: String) {
        location = Self.escaped(path) + target.drop { $0 != "?" }
        let hasPage = method == "GET" || method == "HEAD"
        page = hasPage ? "<a href=\"\(Self.html(location))\">Temporary Redirect</a>.\n\n" : nil
    }

    /// Signs that no path has as they are.
    private static func escaped(_ path: String) -> String {
        var text = ""
        for scalar in path.unicodeScalars {
            if "\"<>\\^`{|}".unicodeScalars.contains(scalar) {
                text += "%" + String(scalar.value, radix: 16, uppercase: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func html(_ text: String) -> String {
        var html = ""
        for character in text {
            switch character {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&#34;"
            case "'": html += "&#39;"
            default: html.append(character)
            }
        }
        return html
    }
}
