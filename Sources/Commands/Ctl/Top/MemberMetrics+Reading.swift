extension MemberMetrics {
    private enum Family {
        case counter(Counter)
        case gauge(Gauge)
        case timing(Timing)
        case requests
        case handled
        case requestTimes

        var isOfMethods: Bool {
            switch self {
            case .requests, .handled: true
            case .counter, .gauge, .timing, .requestTimes: false
            }
        }
    }

    private static let families: [String: Family] = {
        var families: [String: Family] = [
            "grpc_server_msg_received_total": .requests, "grpc_server_handled_total": .handled,
            "etcd_server_request_duration_seconds_bucket": .requestTimes,
        ]
        for counter in Counter.allCases { families[counter.rawValue] = .counter(counter) }
        for gauge in Gauge.allCases { families[gauge.rawValue] = .gauge(gauge) }
        for timing in Timing.allCases { families[timing.rawValue + "_bucket"] = .timing(timing) }
        return families
    }()

    /// Reads a page in Prometheus's text format. Lines of other families, and those that are none, are passed over.
    package init(page: some Collection<UInt8>) {
        self.init()
        for line in page.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            let name = line.prefix { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: " ") }
            guard let family = Self.families[String(decoding: name, as: UTF8.self)],
                // Most of a page is methods that were never called, and codes that they never ended with.
                !family.isOfMethods || !line.suffix(2).elementsEqual(" 0".utf8),
                let series = MetricsSeries(String(decoding: line[name.endIndex...], as: UTF8.self))
            else { continue }
            take(family, series)
        }
    }

    private mutating func take(_ family: Family, _ series: MetricsSeries) {
        switch family {
        case .counter(let counter): counters[counter, default: 0] += series.value
        case .gauge(let gauge): gauges[gauge, default: 0] += series.value
        case .timing(let timing):
            if let bound = series.bound { timings[timing, default: BucketCounts()].add(series.count, atMost: bound) }
        case .requests:
            guard let method = series.labels["grpc_method"] else { return }
            change(method: method) { $0.requests += series.count }
        case .handled:
            // Streams end with an error whenever their client goes.
            guard series.labels["grpc_type"] == "unary", series.labels["grpc_code"] != "OK",
                let method = series.labels["grpc_method"]
            else { return }
            change(method: method) { $0.failures += series.count }
        case .requestTimes:
            guard let bound = series.bound, let method = series.labels["type"] else { return }
            change(method: method) { $0.times.add(series.count, atMost: bound) }
        }
    }
}

/// What follows the name in a line of a metrics page: `{label="value",...} number`, and maybe a time.
struct MetricsSeries {
    private(set) var labels: [String: String] = [:]
    /// Finite, and at least 0.
    private(set) var value: Double

    var count: UInt64 { UInt64(value) }
    /// Of a histogram's bucket: seconds, or infinity.
    var bound: Double? {
        labels["le"].flatMap(Self.number).flatMap { 0..<Self.boundMax ~= $0 || $0 == .infinity ? $0 : nil }
    }

    /// Thirty years: no duration is longer.
    private static let boundMax = 1e9
    /// What is more, or less than nothing, is nothing that a member can count.
    private static let valueMax = 9e18

    /// Nil for what is none, and for values that are no numbers of things.
    init?(_ text: String) {
        var rest = text[...].unicodeScalars
        if rest.first == "{" {
            rest.removeFirst()
            guard let labels = Self.takeLabels(&rest) else { return nil }
            self.labels = labels
        }
        guard let word = Substring(rest).split(separator: " ").first, let value = Self.number(String(word)),
            0..<Self.valueMax ~= value
        else { return nil }
        self.value = value
    }

    private static func takeLabels(_ rest: inout Substring.UnicodeScalarView) -> [String: String]? {
        var labels: [String: String] = [:]
        while let first = rest.first, first != "}" {
            if first == "," {
                rest.removeFirst()
                continue
            }
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let name = String(Substring(rest[..<equals]))
            rest = rest[rest.index(after: equals)...]
            guard let value = takeQuoted(&rest) else { return nil }
            labels[name] = value
        }
        return rest.popFirst() == "}" ? labels : nil
    }

    private static func takeQuoted(_ rest: inout Substring.UnicodeScalarView) -> String? {
        guard rest.popFirst() == "\"" else { return nil }
        var value = String.UnicodeScalarView()
        while let letter = rest.popFirst() {
            if letter == "\"" { return String(value) }
            guard letter == "\\" else {
                value.append(letter)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            value.append(escaped == "n" ? "\n" : escaped)
        }
        return nil
    }

    private static func number(_ text: String) -> Double? {
        if text == "+Inf" { return .infinity }
        return Double(text).flatMap { $0.isNaN ? nil : $0 }
    }
}
