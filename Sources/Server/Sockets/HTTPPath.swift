/// Paths of HTTP requests, as Go's multiplexer takes them.
package enum HTTPPath {
    /// Where a path with doubled slashes or dots leads; `nil` for a path that is clean.
    package static func cleaned(_ path: String) -> String? {
        guard path.contains("//") || path.contains("/.") else { return nil }
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            if part == ".." {
                _ = parts.popLast()
            } else if part != "." {
                parts.append(part)
            }
        }
        let clean = "/" + parts.joined(separator: "/") + (path.hasSuffix("/") && !parts.isEmpty ? "/" : "")
        return clean == path ? nil : clean
    }
}
