extension FlagSet {
    /// Takes its values from a configuration file, and none from anywhere else.
    ///
    /// A key is a flag's name. Keys within a map are flags' names too, shorter by what the map's name says.
    ///
    /// - Returns: Entries that say something and mean nothing: no flag has such a name.
    package mutating func take(
        _ file: ConfigurationFile
    ) throws(ConfigurationError) -> [ConfigurationFile.Entry] {
        var taken: [String: String] = [:]
        var unknown: [ConfigurationFile.Entry] = []
        for entry in file.entries {
            guard let (flag, gate) = flag(for: entry.path) else {
                if entry.path.count == 1, entry.value != .null, Self.maps[entry.path[0]] != nil {
                    throw ConfigurationError(line: entry.line, key: entry.key, reason: "takes keys of its own")
                }
                if entry.value != .null { unknown.append(entry) }
                continue
            }
            guard let value = Self.text(of: entry.value, for: flag) else { continue }
            let whole = gate.map { "\($0)=\(value)" } ?? value
            if let problem = flag.kind.problem(with: whole) {
                let shown = flag.isSecret ? "" : " \"\(value)\""
                throw ConfigurationError(
                    line: entry.line, key: entry.key, reason: "invalid value\(shown): \(problem.form)")
            }
            if gate != nil, let others = taken[flag.name] {
                taken[flag.name] = others + "," + whole
            } else if taken.updateValue(whole, forKey: flag.name) != nil {
                throw ConfigurationError(
                    line: entry.line, key: entry.key, reason: "says again what another key has said (--\(flag.name))")
            }
        }
        replaceValues(taken)
        return unknown
    }

    /// What stands before a key of these maps in the flag's name.
    private static let maps: [String: [String]] = [
        "client-transport-security": ["client-", "client-cert-"], "peer-transport-security": ["peer-", "peer-cert-"],
        "socket-options": ["socket-"], "discovery-config": ["discovery-"],
    ]

    /// Maps within discovery-config: etcd has what its client library takes in one of their own.
    private static let discoveryMaps: Set<[String]> = [["client"], ["client", "secure"], ["client", "auth"]]

    /// Of a client's transport security what the flags' names do not say that it is the client's.
    private static let bareNames: Set<String> = [
        "cert-file", "key-file", "client-cert-file", "client-key-file", "client-cert-auth", "trusted-ca-file",
        "auto-tls",
    ]

    private func flag(for path: [String]) -> (Flag, gate: String?)? {
        if path.count == 1 { return flag(named: path[0]).map { ($0, nil) } }
        if path[0] == "discovery-config", path.count > 2 {
            guard Self.discoveryMaps.contains(Array(path[1..<path.count - 1])), let last = path.last else { return nil }
            return flag(named: "discovery-" + (last == "username" ? "user" : last)).map { ($0, nil) }
        }
        guard path.count == 2 else { return nil }
        if let flag = flag(named: path[0]), case .gates = flag.kind { return (flag, path[1]) }
        guard let prefixes = Self.maps[path[0]] else { return nil }
        if path[0] == "client-transport-security", Self.bareNames.contains(path[1]) {
            return flag(named: path[1]).map { ($0, nil) }
        }
        for prefix in prefixes {
            if let flag = flag(named: prefix + path[1]) { return (flag, nil) }
        }
        return nil
    }

    /// As it would stand on a command line; `nil` where the file leaves it open.
    private static func text(of value: ConfigurationFile.Value, for flag: Flag) -> String? {
        switch value {
        case .null: return nil
        case .list(let items): return items.joined(separator: ",")
        case .scalar(let text):
            // A number is in nanoseconds, as Go writes durations down.
            if case .duration = flag.kind, Int64(text) != nil, text != "0" { return text + "ns" }
            return text
        }
    }
}
