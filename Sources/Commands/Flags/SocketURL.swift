/// A socket in the file system, as `unix://path` or, with TLS, `unixs://path`. The path begins with a slash or is relative.
package struct SocketURL: Hashable {
    package var path: String
    package var isProtected: Bool

    package init?(_ text: String) {
        guard let mark = text.firstRange(of: "://") else { return nil }
        switch text[..<mark.lowerBound] {
        case "unix": isProtected = false
        case "unixs": isProtected = true
        default: return nil
        }
        path = String(text[mark.upperBound...])
        if path.isEmpty { return nil }
    }
}
