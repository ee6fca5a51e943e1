extension Flag.Kind {
    /// Why a value does not fit; `nil` when it does.
    func problem(with value: String) -> ValueProblem? {
        switch self {
        case .string: nil
        case .bool: Self.bool(value) == nil ? ValueProblem("neither true nor false", etcd: "parse error") : nil
        case .unsigned:
            UInt64(value) == nil || Int64(value) == nil
                ? ValueProblem("not a whole number of at least 0", etcd: "parse error") : nil
        case .integer: Int64(value) == nil ? ValueProblem("not a whole number", etcd: "parse error") : nil
        case .duration:
            GoDuration.milliseconds(value) == nil
                ? ValueProblem("not a duration such as 500ms, 10s or 1h30m", etcd: "parse error") : nil
        case .choice(let words):
            words.contains(value)
                ? nil : ValueProblem("not one of \(words.joined(separator: ", "))", etcd: "invalid value")
        case .urls: Self.parts(of: value).compactMap { ListenURL.problem(with: $0) }.first.map { ValueProblem($0) }
        case .optionalURLs: value.isEmpty ? nil : Self.urls.problem(with: value)
        case .origins:
            Self.parts(of: value).filter { $0 != "*" && !$0.isEmpty }.compactMap { ListenURL.problem(with: $0) }.first
                .map { ValueProblem($0) }
        case .endpoints:
            Self.parts(of: value).first { Endpoint($0) == nil }.map { ValueProblem("\"\($0)\" is not host:port") }
        case .gates(let names): Self.gateProblem(with: value, names)
        }
    }

    static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    package static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " }
        return String(start.prefix(start.count - start.reversed().prefix { $0 == " " }.count))
    }

    /// Empty ones too, which fit nowhere.
    private static func parts(of list: String) -> [String] {
        list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func gateProblem(with value: String, _ names: [String]) -> ValueProblem? {
        for item in value.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
            if parts[0].isEmpty { continue }
            guard names.contains(parts[0]) else {
                return ValueProblem(
                    "not of the form Gate=true,Gate=false with gates among \(names.joined(separator: ", "))",
                    etcd: "unrecognized feature gate: \(parts[0])")
            }
            guard parts.count == 2 else {
                return ValueProblem(
                    "not of the form Gate=true,Gate=false", etcd: "missing bool value for \(parts[0])")
            }
            if bool(parts[1]) == nil {
                return ValueProblem(
                    "\(parts[0]) is neither true nor false",
                    etcd: "invalid value of \(parts[0])=\(parts[1]), err: strconv.ParseBool: parsing \"\(parts[1])\": "
                        + "invalid syntax")
            }
        }
        return nil
    }
}
